"""The CodeDeploy provider: a thin way from an action's context to a release."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.outcome import Failed, Outcome, Succeeded
from deploy.release import ReleaseResult
from deploy.request import ReleaseRequest
from stages.release import ACTION_TYPE, CodeDeploy, CodeDeployConfiguration
from tests.fakes.actions import Action, dependencies

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/, Handler: app.handler, Runtime: python3.11}
"""


class RecordingRelease:
    """Keeps what it is asked for, and answers with `outcome`."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.requests: list[ReleaseRequest] = []

    def run(
        self,
        request: ReleaseRequest,
        *,
        log: Callable[[str], None],
        report: Callable[..., None],
        stop_requested: Callable[[], str],
        fence: Callable[[Any], None],
    ) -> ReleaseResult:
        self.requests.append(request)
        log(f"asked to stop: {stop_requested() or 'no'}")
        report(percent_complete=100)
        fence(None)
        return ReleaseResult(self.outcome)


@pytest.fixture
def action(tmp_path: Path) -> Action:
    package = tmp_path / "package"
    (package / "src").mkdir(parents=True)
    (package / "template.yaml").write_text(TEMPLATE)
    return Action(tmp_path, {"Package": package})


def released(action: Action, configuration: dict[str, Any]) -> tuple[Outcome, RecordingRelease]:
    release = RecordingRelease(Succeeded("orders version 2"))
    provider = CodeDeploy(dependencies(action.root), release)  # type: ignore[arg-type]
    return provider.run(action.context(configuration=configuration)), release


def test_the_release_gets_the_functions_of_the_artifact_and_answers_for_the_action(action: Action) -> None:
    steps = ["10%", "wait 1s", "100%"]
    outcome, release = released(action, {"target": "local", "alias": "live", "deploymentConfig": steps})
    assert outcome == Succeeded("orders version 2")
    [request] = release.requests
    assert (request.target.name, request.alias, request.action_execution_id) == (
        *("local", "live", "22222222-2222-4222-8222-222222222222"),
    )
    assert [function.logical_id for function in request.functions] == ["Orders"]
    assert action.log == ["asked to stop: no"]
    assert action.reports == [{"percent_complete": 100}]


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"target": "lokal", "alias": "live"}, "there is no target 'lokal'; did you mean 'local'?"),
        ({"target": "local", "alias": "live", "template": "t.yml"}, "the input artifact has no t.yml"),
        ({"target": "local", "alias": "live", "deploymentConfig": "Often"}, "Often"),
    ],
)
def test_a_mistake_in_the_configuration_fails_the_action(
    action: Action, configuration: dict[str, Any], message: str
) -> None:
    outcome, release = released(action, configuration)
    assert isinstance(outcome, Failed)
    assert outcome.code == "ConfigurationError"
    assert message in outcome.message
    assert release.requests == []


def test_the_configurations_keys_are_those_of_the_pipeline_file() -> None:
    fields = CodeDeployConfiguration.model_json_schema()["properties"]
    assert set(fields) == {
        *("target", "alias", "template", "functions", "deploymentConfig", "hooks", "alarms", "rollback", "role"),
        *("ignorePollAlarmFailure", "bakeSeconds"),
    }
    assert ACTION_TYPE.check is not None
    [(path, _, _)] = ACTION_TYPE.check({"rollback": ["DEPLOYMENT_FALIURE"]})
    assert path == "rollback[0]"
