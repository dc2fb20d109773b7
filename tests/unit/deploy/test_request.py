"""From a CodeDeploy action's configuration and a template to what a release is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInput
from deploy.analysis.alarms import NamedAlarm
from deploy.request import LOCAL_ROLE, ReleaseRequest, check, from_configuration
from deploy.targets import Target
from deploy.traffic.state import RollbackEvent
from deploy.traffic.strategy import Step

LOCAL = Target("local", "eu-west-1", "http://127.0.0.1:1")
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.11, Handler: app.handler}}
Resources:
  Orders: {Type: "AWS::Serverless::Function", Properties: {FunctionName: orders, CodeUri: src/, MemorySize: 256}}
  Bills: {Type: "AWS::Serverless::Function", Properties: {CodeUri: src/, Layers: [a]}}
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "src").mkdir()
    return tmp_path


def a_request(directory: Path, target: Target = LOCAL, **configuration: Any) -> ReleaseRequest:
    return from_configuration(
        {"target": "local", "alias": "live", **configuration},
        directory=directory,
        target=target,
        execution_id="e-1",
        action_execution_id="a-1",
    )


def test_without_more_every_function_goes_at_once_and_rolls_back_for_everything(directory: Path) -> None:
    request = a_request(directory)

    assert [item.function for item in request.functions] == ["orders", "Bills"]
    assert request.functions[0].settings.memory_mb == 256
    assert request.functions[0].directory == (directory / "src").resolve()
    assert request.steps == (Step(100),)
    assert request.rollback_on == tuple(RollbackEvent)
    assert (request.alarms, request.before_hook, request.after_hook) == ((), "", "")


def test_all_of_a_configuration_arrives(directory: Path) -> None:
    request = a_request(
        directory,
        functions=["Bills"],
        deploymentConfig=["10%", "wait 5s", "100%"],
        bakeSeconds=7,
        hooks={"BeforeAllowTraffic": "smoke", "AfterAllowTraffic": "check"},
        alarms=["pager"],
        rollback=["DEPLOYMENT_STOP_ON_ALARM"],
        role="arn:aws:iam::123456789012:role/mine",
        ignorePollAlarmFailure=True,
    )

    assert [item.logical_id for item in request.functions] == ["Bills"]
    assert request.steps == (Step(10, 5), Step(100, 7))
    assert (request.before_hook, request.after_hook) == ("smoke", "check")
    assert request.alarms == (NamedAlarm("pager"),)
    assert request.rollback_on == (RollbackEvent.ALARM,)
    assert request.role_for_new == "arn:aws:iam::123456789012:role/mine"
    assert request.ignore_unreadable_alarms


def test_an_empty_rollback_list_means_never_and_null_means_the_default(directory: Path) -> None:
    assert a_request(directory, rollback=[]).rollback_on == ()
    assert a_request(directory, rollback=None).rollback_on == tuple(RollbackEvent)


def test_a_role_is_made_up_only_behind_an_endpoint_of_ones_own(directory: Path) -> None:
    assert a_request(directory).role_for_new == LOCAL_ROLE
    assert a_request(directory, Target("production", "eu-west-1")).role_for_new == ""


def test_what_the_template_says_and_a_release_does_not_apply_is_a_warning(directory: Path) -> None:
    (warning,) = a_request(directory).warnings
    assert "Layers of Bills is not applied" in warning


@pytest.mark.parametrize(
    ("configuration", "path", "said"),
    [
        ({"deploymentConfig": "Canary10Percent5Minuts"}, "deploymentConfig", "did you mean"),
        ({"deploymentConfig": ["10%"]}, "deploymentConfig", "must be 100 %"),
        ({"hooks": {"BeforeAllowTrafic": "x"}}, "hooks.BeforeAllowTrafic", "did you mean 'BeforeAllowTraffic'?"),
        ({"alarms": [{"name": "x"}]}, "alarms[0]", "'metric' is missing"),
        ({"rollback": ["DEPLOYMENT_FAIL"]}, "rollback[0]", "did you mean 'DEPLOYMENT_FAILURE'?"),
    ],
)
def test_mistakes_are_told_with_their_path(
    directory: Path, configuration: dict[str, Any], path: str, said: str
) -> None:
    assert any(found == path and said in f"{what} {hint}" for found, what, hint in check(configuration))
    with pytest.raises(InvalidInput, match=r".*" + path.partition("[")[0]):
        a_request(directory, **configuration)


def test_values_that_hold_variables_are_checked_later() -> None:
    assert check({"deploymentConfig": "#{variables.level}", "rollback": ["#{variables.event}"]}) == []


def test_a_template_must_be_there_and_have_the_functions(directory: Path) -> None:
    with pytest.raises(InvalidInput, match=r"has no other\.yaml"):
        a_request(directory, template="other.yaml")
    with pytest.raises(InvalidInput, match=r"did you mean 'Orders'"):
        a_request(directory, functions=["Order"])
    (directory / "empty.yaml").write_text("Resources: {}\n")
    with pytest.raises(InvalidInput, match="no function to release"):
        a_request(directory, template="empty.yaml")


def test_code_may_not_lie_outside_the_artifact(directory: Path) -> None:
    (directory / "template.yaml").write_text(TEMPLATE.replace("src/, MemorySize", "../elsewhere, MemorySize"))

    with pytest.raises(InvalidInput, match="leads out of the input artifact"):
        a_request(directory)
