"""Whole releases against the fake, moto and the local runtime alike: same code, same ends."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from core.clock import SystemClock
from core.errors import PenstockError
from core.holder import this_process
from core.ids import RandomIds
from core.outcome import Failed, Succeeded
from deploy import aws
from deploy.analysis.alarms import MetricAlarm, NamedAlarm
from deploy.ports import Clients, FunctionSettings
from deploy.release import Release, ReleaseResult
from deploy.request import LOCAL_ROLE, FunctionRelease, ReleaseRequest
from deploy.traffic import strategy
from deploy.traffic.weights import Routing
from store.database import Database
from tests.contract.release.services import Service

CANARY = strategy.parse(["10%", "wait 1s", "50%", "wait 1s", "100%"])
ALARM = MetricAlarm("errors", "ErrorRate", threshold=5, period_s=1, minimum_invocations=3)


class Place:
    """One function of one service, with a store of its own to release from."""

    def __init__(self, service: Service, name: str, database: Database, home: Path) -> None:
        self.service, self.name, self._database, self._home = service, name, database, home
        self._release = Release(self._clients, database, SystemClock(), RandomIds(), this_process())

    def _clients(self, _target: object) -> Clients:
        return self.service.clients

    def request(self, version: str, body: str = "pass", **changes: object) -> ReleaseRequest:
        directory = self._home / version
        directory.mkdir(exist_ok=True)
        source = f"def handler(event, context):\n    {body}\n    return {version!r}\n"
        (directory / "app.py").write_text(source)
        item = FunctionRelease("Orders", self.name, FunctionSettings("app.handler", "python3.11"), directory)
        request = ReleaseRequest(self.service.target, "live", (item,), "e-1", f"a-{version}", role_for_new=LOCAL_ROLE)
        return replace(request, **changes)  # type: ignore[arg-type]

    def run(self, request: ReleaseRequest) -> ReleaseResult:
        return self._release.run(
            request, log=lambda _: None, report=lambda **_: None, stop_requested=lambda: "", fence=lambda _: None
        )

    def roll_back(self) -> None:
        self._release.roll_back(self.service.target, self.name, "live", by="anna")

    def routing(self) -> Routing | None:
        found = self.service.clients.functions.alias(self.name, "live")
        return found.routing if found else None

    def versions(self) -> list[str]:
        return [item.version for item in self.service.clients.functions.versions(self.name)]

    def events(self, kind: str) -> list[dict[str, object]]:
        with self._database.snapshot() as snapshot:
            return [dict(event.facts) for event in snapshot.events() if event.kind == kind]

    @contextmanager
    def requests(self) -> Iterator[Counter[tuple[str, bool]]]:
        """Requests to the alias while the block lasts, counted by (version that ran, failed)."""
        served: Counter[tuple[str, bool]] = Counter()
        over = threading.Event()

        def send() -> None:
            while not over.is_set():
                try:
                    answer = self.service.clients.functions.invoke(f"{self.name}:live", b"{}")
                except PenstockError:
                    continue
                served[answer.executed_version, bool(answer.function_error)] += 1

        thread = threading.Thread(target=send)
        thread.start()
        try:
            yield served
        finally:
            over.set()
            thread.join()


@pytest.fixture
def place(service: Service, name: str, tmp_path: Path) -> Iterator[Place]:
    database = Database.open(f"sqlite:///{tmp_path / 'penstock.db'}", clock=SystemClock())
    try:
        yield Place(service, name, database, tmp_path)
    finally:
        database.close()


def test_first_release_canary_skip_and_rollback_by_hand(place: Place) -> None:
    assert isinstance(place.run(place.request("v1")).outcome, Succeeded)
    assert (place.routing(), place.versions()) == (Routing("1"), ["1"])

    outcome = place.run(place.request("v2", steps=CANARY)).outcome

    assert isinstance(outcome, Succeeded)
    assert outcome.variables["FunctionVersion"] == "2"
    assert (place.routing(), place.versions()) == (Routing("2"), ["1", "2"])
    assert [facts["weight_pct"] for facts in place.events("TrafficShifted")] == [100, 10, 50, 100]
    again = place.run(place.request("v2", action_execution_id="again", steps=CANARY)).outcome
    assert isinstance(again, Succeeded)
    assert again.variables["DeploymentId"] == ""
    assert place.versions() == ["1", "2"]
    place.roll_back()
    assert place.routing() == Routing("1")


def test_another_configuration_publishes_another_version(place: Place) -> None:
    request = place.request("v1")
    assert isinstance(place.run(request).outcome, Succeeded)
    (item,) = request.functions
    larger = replace(item, settings=replace(item.settings, memory_mb=256, environment={"LEVEL": "two"}))

    outcome = place.run(replace(request, functions=(larger,), action_execution_id="larger")).outcome

    assert isinstance(outcome, Succeeded)
    assert (place.routing(), place.versions()) == (Routing("2"), ["1", "2"])
    found = place.service.clients.functions.function(place.name, "2")
    assert found is not None
    assert (found.settings.memory_mb, found.settings.environment) == (256, {"LEVEL": "two"})


def test_a_version_that_raises_is_noticed_and_rolled_back_under_real_traffic(place: Place) -> None:
    if not place.service.runs_code:
        pytest.skip(f"{place.service.kind} does not run a handler here")
    assert isinstance(place.run(place.request("v1")).outcome, Succeeded)
    steps = strategy.parse(["30%", "wait 20s", "100%"])

    with place.requests() as served:
        outcome = place.run(place.request("v2", "raise ValueError('no')", steps=steps, alarms=(ALARM,))).outcome

    assert isinstance(outcome, Failed), outcome
    assert outcome.code == "ALARM_ACTIVE"
    assert place.routing() == Routing("1")
    (facts,) = place.events("RolledBack")
    assert 0 < int(str(facts["harmed_requests"])) <= served["2", True]
    assert float(str(facts["detection_s"])) < 10
    assert served["1", True] == served["2", False] == 0


def test_a_named_alarm_of_the_target_goes_off_and_rolls_the_release_back(place: Place) -> None:
    if not place.service.runs_code:
        pytest.skip(f"{place.service.kind} does not run a handler here")
    assert isinstance(place.run(place.request("v1")).outcome, Succeeded)
    pager = f"{place.name}-pager"
    put_alarm(place.service, pager, {"FunctionName": place.name, "Resource": f"{place.name}:live"})
    steps = strategy.parse(["30%", "wait 60s", "100%"])

    with place.requests() as served:
        outcome = place.run(
            place.request("v2", "raise ValueError('no')", steps=steps, alarms=(NamedAlarm(pager),))
        ).outcome

    assert isinstance(outcome, Failed), outcome
    assert outcome.code == "ALARM_ACTIVE"
    assert pager in outcome.message
    assert place.routing() == Routing("1")
    assert served["2", True] > 0
    found = place.service.clients.metrics.alarm_states([pager])[pager]
    assert (found.value, "was greater than the threshold (0.0)" in found.reason) == ("ALARM", True)


def put_alarm(service: Service, name: str, place: dict[str, str]) -> None:
    """An alarm on any error in ten seconds."""
    aws.client(service.target, aws.session(service.target), "cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[{"Name": key, "Value": value} for key, value in place.items()],
        Statistic="Sum",
        Period=10,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )


def test_a_hook_is_really_invoked_and_decides(place: Place) -> None:
    if not place.service.runs_code:
        pytest.skip(f"{place.service.kind} does not run a handler here")
    functions = place.service.clients.functions
    assert isinstance(place.run(place.request("v1")).outcome, Succeeded)
    hook = Place(place.service, f"{place.name}-hook", place._database, place._home)
    refuses = "return {'status': 'Failed', 'why': event['DeploymentId']}"
    assert isinstance(hook.run(hook.request("h1", refuses)).outcome, Succeeded)
    assert functions.function(hook.name) is not None

    outcome = place.run(place.request("v2", before_hook=hook.name)).outcome

    assert isinstance(outcome, Failed)
    assert outcome.code == "HOOK_EXECUTION_FAILURE"
    assert outcome.external_id in outcome.message
    assert place.routing() == Routing("1")
