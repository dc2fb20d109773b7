"""A release from request to end: what it does to the alias, what it writes down, what it answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import LeaseLost, NotAllowed
from core.outcome import Abandoned, Failed, Succeeded
from deploy.analysis.alarms import MetricAlarm, NamedAlarm
from deploy.ports import AlarmState, AlreadyExists
from deploy.request import ReleaseRequest
from deploy.traffic import strategy
from deploy.traffic.machine import Status
from deploy.traffic.state import RollbackEvent
from deploy.traffic.weights import Routing, toward
from tests.fakes.lambda_service import HandlerError
from tests.fakes.releasing import TARGET, World, a_function, a_request

ERRORS = MetricAlarm("orders-errors", "ErrorRate", threshold=5, period_s=1, minimum_invocations=2)
CANARY = strategy.parse(["10%", "wait 10s", "50%", "wait 10s", "100%"])


def released(world: World, code: str) -> None:
    assert isinstance(world.run(a_request(world, code)).outcome, Succeeded)


def test_the_first_release_creates_function_version_and_alias(world: World) -> None:
    result = world.run(a_request(world, "v1", steps=CANARY))

    assert isinstance(result.outcome, Succeeded)
    assert result.outcome.variables["FunctionVersion"] == "1"
    assert result.outcome.variables["DeploymentId"] == world.deployments()[0].id
    assert world.routing() == Routing("1")
    assert [call[0] for call in world.functions.calls] == ["create_function", "publish_version", "create_alias"]
    assert world.deployments()[0].status == "Succeeded"


def test_a_canary_goes_through_its_weights_and_really_waits(world: World) -> None:
    released(world, "v1")
    begun = world.clock.now()

    result = world.run(a_request(world, "v2", steps=CANARY))

    assert isinstance(result.outcome, Succeeded)
    assert world.alias_writes()[1:] == [str(toward("1", "2", 10)), str(toward("1", "2", 50)), str(Routing("2"))]
    assert 20 <= (world.clock.now() - begun).total_seconds() < 23
    shifted = [event.facts["weight_pct"] for event in world.events("TrafficShifted")]
    assert shifted == [100, 10, 50, 100]
    assert world.reported[-1] == (100, "orders:live End, 100 % on version 2")


def test_releasing_the_same_again_does_nothing(world: World) -> None:
    released(world, "v1")
    calls = list(world.functions.calls)

    result = world.run(a_request(world, "v1", action="again"))

    assert isinstance(result.outcome, Succeeded)
    assert result.outcome.variables == {
        "DeploymentId": "",
        "FunctionVersion": "1",
        "Orders_FunctionVersion": "1",
        "Orders_DeploymentId": "",
    }
    assert world.functions.calls == calls
    assert len(world.events("ReleaseSkipped")) == 1
    assert len(world.deployments()) == 1


def test_code_that_was_released_before_is_not_published_again(world: World) -> None:
    for code in ("v1", "v2"):
        released(world, code)

    result = world.run(a_request(world, "v1", action="back"))

    assert isinstance(result.outcome, Succeeded)
    assert world.routing() == Routing("1")
    assert [call[0] for call in world.functions.calls].count("publish_version") == 2


def test_a_plan_says_what_a_release_would_do_and_does_nothing(world: World) -> None:
    released(world, "v1")
    calls = list(world.functions.calls)

    plans = world.release().plan_only(a_request(world, "v2", steps=CANARY))

    assert [type(item).__name__ for item in plans[0].instructions] == ["UpdateCode", "PublishVersion", "ShiftTraffic"]
    assert world.functions.calls == calls
    assert world.release().plan_only(a_request(world, "v1"))[0].instructions == ()


def test_an_alarm_on_the_new_versions_errors_rolls_back_by_itself(world: World) -> None:
    released(world, "v1")
    world.traffic("orders:live", per_second=100, failing=("2",))

    result = world.run(a_request(world, "v2", steps=CANARY, alarms=(ERRORS,)))

    assert isinstance(result.outcome, Failed)
    assert result.outcome.code == "ALARM_ACTIVE"
    assert "ErrorRate was 100 %" in result.outcome.message
    assert "rolled back to version 1" in result.outcome.message
    assert world.routing() == Routing("1")
    failed, rollback = world.states()[1:]
    assert (failed.status, failed.rollback_deployment_id) == (Status.STOPPED, rollback.deployment_id)
    assert (rollback.status, rollback.rollback_of) == (Status.SUCCEEDED, failed.deployment_id)
    assert world.deployments()[2].creator == "codeDeployRollback"


def test_a_rollback_tells_what_was_harmed_and_how_long_it_took(world: World) -> None:
    released(world, "v1")
    world.traffic("orders:live", per_second=100, failing=("2",), every=2)

    world.run(a_request(world, "v2", steps=CANARY, alarms=(ERRORS,)))

    (fired,) = world.events("AlarmFired")
    assert fired.facts["threshold"] == 5
    assert fired.facts["harmed_requests"] > 0
    (told,) = world.events("RolledBack")
    assert told.facts["served_requests"] == 2 * told.facts["harmed_requests"] > 0
    assert 0 <= told.facts["detection_s"] <= 3
    assert 0 <= told.facts["rollback_s"] <= 1
    assert "harmed" in told.why
    assert told.execution_id == "e-1"


def test_a_version_that_fails_only_now_and_then_is_seen_over_the_whole_step(world: World) -> None:
    released(world, "v1")
    world.traffic("orders:live", per_second=10, failing=("2",), every=1)
    slow = MetricAlarm("slow", "ErrorRate", threshold=5, period_s=60, evaluation_periods=3, datapoints_to_alarm=3)

    result = world.run(a_request(world, "v2", steps=CANARY, alarms=(slow,)))

    assert isinstance(result.outcome, Failed)
    assert world.alias_writes()[1:] == [str(toward("1", "2", 10)), str(Routing("1"))]


def test_an_alarm_during_the_final_wait_rolls_back_too(world: World) -> None:
    released(world, "v1")
    world.functions.around = lambda operation, phase: None
    steps = strategy.parse(["100%", "wait 30s"])
    world.traffic("orders:live", per_second=10, failing=("2",))

    result = world.run(a_request(world, "v2", steps=steps, alarms=(ERRORS,)))

    assert isinstance(result.outcome, Failed)
    assert world.routing() == Routing("1")


def test_a_named_alarm_that_is_active_before_the_start_leaves_the_alias_untouched(world: World) -> None:
    released(world, "v1")
    world.metrics.alarms["pager"] = AlarmState("ALARM", "it rings")

    result = world.run(a_request(world, "v2", steps=CANARY, alarms=(NamedAlarm("pager"),)))

    assert isinstance(result.outcome, Failed)
    assert result.outcome.code == "ALARM_ACTIVE"
    assert world.states()[-1].status is Status.FAILED
    assert len(world.alias_writes()) == 1


def test_a_named_alarm_that_fires_during_the_shift_rolls_back(world: World) -> None:
    released(world, "v1")
    world.metrics.alarms["pager"] = AlarmState("OK")
    world.clock.each_second.append(
        lambda at: world.metrics.alarms.update(pager=AlarmState("ALARM" if at.second > 12 else "OK"))
    )

    result = world.run(a_request(world, "v2", steps=CANARY, alarms=(NamedAlarm("pager"),)))

    assert isinstance(result.outcome, Failed)
    assert world.alias_writes()[1:] == [str(toward("1", "2", 10)), str(Routing("1"))]


def test_an_alarm_that_cannot_be_read_stops_the_release(world: World) -> None:
    released(world, "v1")

    result = world.run(a_request(world, "v2", steps=CANARY, alarms=(NamedAlarm("nobody-made-it"),)))

    assert isinstance(result.outcome, Failed)
    assert result.outcome.code == "ALARM_UNREADABLE"
    assert "no such alarm" in result.outcome.message
    assert world.routing() == Routing("1")


def test_an_unreadable_alarm_can_be_ignored(world: World) -> None:
    released(world, "v1")

    request = a_request(world, "v2", steps=CANARY, alarms=(NamedAlarm("pager"),), ignore_unreadable_alarms=True)

    assert isinstance(world.run(request).outcome, Succeeded)


def test_a_metrics_service_that_restarts_does_not_stop_a_release(world: World) -> None:
    released(world, "v1")
    world.clock.each_second.append(lambda at: setattr(world.metrics, "down", 8 <= at.second < 14))

    assert isinstance(world.run(a_request(world, "v2", steps=CANARY, alarms=(ERRORS,))).outcome, Succeeded)


def test_a_target_that_is_down_for_a_while_is_waited_for(world: World) -> None:
    released(world, "v1")
    world.clock.each_second.append(lambda at: setattr(world.functions, "down", 14 <= at.second < 40))

    assert isinstance(world.run(a_request(world, "v2", steps=CANARY)).outcome, Succeeded)
    assert world.routing() == Routing("2")


def test_hooks_run_before_and_after_the_shift_with_codedeploys_payload(world: World) -> None:
    released(world, "v1")
    seen: list[tuple[str, Routing | None]] = []
    world.functions.handlers["smoke"] = lambda payload: seen.append((payload.decode(), world.routing()))
    world.functions.handlers["check"] = lambda payload: seen.append((payload.decode(), world.routing()))

    result = world.run(a_request(world, "v2", before_hook="smoke", after_hook="check"))

    assert isinstance(result.outcome, Succeeded)
    assert [routing for _, routing in seen] == [Routing("1"), Routing("2")]
    assert f'"DeploymentId": "{world.deployments()[-1].id}"' in seen[0][0]
    assert '"LifecycleEventHookExecutionId"' in seen[0][0]


def a_failing_handler(_payload: bytes) -> object:
    raise HandlerError("smoke everywhere")


@pytest.mark.parametrize("handler", [a_failing_handler, lambda _payload: {"status": "Failed"}, None])
def test_a_failing_hook_before_the_shift_leaves_the_alias_untouched(world: World, handler: object) -> None:
    released(world, "v1")
    if handler is not None:
        world.functions.handlers["smoke"] = handler  # type: ignore[assignment]

    result = world.run(a_request(world, "v2", before_hook="smoke"))

    assert isinstance(result.outcome, Failed)
    assert result.outcome.code == "HOOK_EXECUTION_FAILURE"
    assert len(world.alias_writes()) == 1
    assert world.states()[-1].rollback_deployment_id == ""


def test_a_failing_hook_after_the_shift_rolls_back(world: World) -> None:
    released(world, "v1")
    world.functions.handlers["check"] = lambda _payload: {"status": "Failed"}

    result = world.run(a_request(world, "v2", after_hook="check"))

    assert isinstance(result.outcome, Failed)
    assert world.routing() == Routing("1")
    assert world.alias_writes()[1:] == [str(Routing("2")), str(Routing("1"))]


def test_a_stop_request_during_the_shift_rolls_back(world: World) -> None:
    released(world, "v1")
    world.clock.each_second.append(lambda at: setattr(world, "stop", "enough" if at.second > 10 else ""))

    result = world.run(a_request(world, "v2", steps=CANARY))

    assert isinstance(result.outcome, Abandoned)
    assert "stopped: enough" in result.outcome.message
    assert world.routing() == Routing("1")
    assert world.states()[1].status is Status.STOPPED


def test_without_a_rollback_on_request_the_alias_stays_where_it_was_and_the_next_release_refuses(world: World) -> None:
    released(world, "v1")
    world.clock.each_second.append(lambda at: setattr(world, "stop", "enough" if at.second > 10 else ""))
    world.run(a_request(world, "v2", steps=CANARY, rollback_on=(RollbackEvent.ALARM,)))
    world.clock.each_second.clear()
    world.stop = ""
    assert world.routing() == toward("1", "2", 10)

    result = world.run(a_request(world, "v3"))

    assert isinstance(result.outcome, Failed)
    assert "split between two versions already" in result.outcome.message
    assert "penstock rollback orders" in result.outcome.message
    world.release().roll_back(TARGET, "orders", "live", by="anna")
    assert world.routing() == Routing("1")
    assert isinstance(world.run(a_request(world, "v3", action="next")).outcome, Succeeded)


def test_somebody_elses_routing_is_drift_and_is_left_as_they_put_it(world: World) -> None:
    released(world, "v1")
    world.clock.each_second.append(
        lambda at: world.functions.touch_alias("orders", "live", Routing("1")) if at.second == 12 else None
    )

    result = world.run(a_request(world, "v2", steps=CANARY))

    assert isinstance(result.outcome, Failed)
    assert result.outcome.code == "DRIFT"
    assert world.routing() == Routing("1")
    assert len(world.events("DriftDetected")) == 1
    assert world.alias_writes()[1:] == [str(toward("1", "2", 10))]


def test_somebody_elses_write_that_leaves_our_split_rolls_back(world: World) -> None:
    released(world, "v1")
    world.clock.each_second.append(
        lambda at: world.functions.touch_alias("orders", "live") if at.second == 12 else None
    )

    result = world.run(a_request(world, "v2", steps=CANARY))

    assert isinstance(result.outcome, Failed)
    assert world.routing() == Routing("1")


def test_when_one_of_several_functions_fails_the_others_go_back(world: World) -> None:
    def both(code: str, action: str) -> ReleaseRequest:
        request = a_request(world, code, action=action)
        return replace(
            request, functions=(a_function(world, code), a_function(world, code, "bills", "Bills")), after_hook="check"
        )

    assert isinstance(world.run(both("v1", "first")).outcome, Failed)  # there is no function `check`
    world.functions.handlers["check"] = lambda _payload: None
    assert isinstance(world.run(both("v1", "second")).outcome, Succeeded)
    calls = iter((None, {"status": "Failed"}))
    world.functions.handlers["check"] = lambda _payload: next(calls)

    result = world.run(both("v2", "third"))

    assert isinstance(result.outcome, Failed)
    assert (world.routing("orders"), world.routing("bills")) == (Routing("1"), Routing("1"))
    assert [event.subject for event in world.events("RolledBack")] == ["bills:live", "orders:live"]


def test_two_functions_give_variables_by_logical_id(world: World) -> None:
    functions = (a_function(world, "v1"), a_function(world, "v1", "bills", "Bills"))

    outcome = world.run(a_request(world, "v1", functions=functions)).outcome

    assert isinstance(outcome, Succeeded)
    assert outcome.variables["Orders_FunctionVersion"] == outcome.variables["Bills_FunctionVersion"] == "1"
    assert "FunctionVersion" not in outcome.variables


def test_a_package_lambda_would_not_take_fails_before_anything_is_changed(world: World, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    wrong = replace(a_function(world, "v1"), directory=tmp_path / "empty")

    result = world.run(a_request(world, "v1", functions=(wrong,)))

    assert isinstance(result.outcome, Failed)
    assert "no file to package" in result.outcome.message
    assert world.functions.calls == []


def test_a_driver_that_lost_its_lease_stops_writing(world: World) -> None:
    released(world, "v1")
    overtake = iter((False, True))

    def take_over(operation: str, phase: str) -> None:
        if (operation, phase) == ("update_alias", "after") and next(overtake, False):
            with world.database.transaction() as transaction:
                assert transaction.take_lease("release:local/orders/live", "host/boot/2/2", 30)

    world.functions.around = take_over
    with pytest.raises(LeaseLost):
        world.run(a_request(world, "v2", steps=CANARY))
    writes = world.alias_writes()
    assert writes[-1] == str(toward("1", "2", 50))


def test_a_release_is_refused_while_another_one_is_going_on_at_the_same_place(world: World) -> None:
    with world.database.transaction() as transaction:
        assert transaction.take_lease("release:local/orders/live", "host/boot/1/1", 30)

    result = world.run(a_request(world, "v1"), holder="host/boot/1/1")

    assert isinstance(result.outcome, Failed)
    assert result.outcome.code == "DEPLOYMENT_LIMIT_EXCEEDED"


def test_a_rollback_by_hand_goes_to_the_version_before(world: World) -> None:
    for code in ("v1", "v2", "v3"):
        released(world, code)

    record = world.release().roll_back(TARGET, "orders", "live", by="anna", why="prices look odd")

    assert world.routing() == Routing("2")
    assert (record.creator, record.status) == ("codeDeployRollback", "Succeeded")
    assert record.state["rollback_of"] == world.deployments()[2].id
    assert "anna asked for it: prices look odd" in world.events("RolledBack")[0].why
    world.release().roll_back(TARGET, "orders", "live", "1", by="anna")
    assert world.routing() == Routing("1")


def test_a_rollback_by_hand_says_why_it_cannot_be(world: World) -> None:
    released(world, "v1")

    with pytest.raises(NotAllowed, match="unknown"):
        world.release().roll_back(TARGET, "orders", "live", by="anna")
    with pytest.raises(NotAllowed, match="already"):
        world.release().roll_back(TARGET, "orders", "live", "1", by="anna")


def test_the_ledgers_chain_holds_after_all_that(world: World) -> None:
    released(world, "v1")
    world.traffic("orders:live", per_second=100, failing=("2",))
    world.run(a_request(world, "v2", steps=CANARY, alarms=(ERRORS,)))

    with world.database.snapshot() as snapshot:
        assert snapshot.verify().ok


def test_a_target_that_is_down_before_the_release_begins_is_waited_for(world: World) -> None:
    world.functions.down = True
    world.clock.each_second.append(lambda at: setattr(world.functions, "down", at.second < 20))

    assert isinstance(world.run(a_request(world, "v1")).outcome, Succeeded)


def test_a_function_that_somebody_else_creates_meanwhile_is_planned_for_again(world: World) -> None:
    request = a_request(world, "v1")
    somebody_was_first = iter((True, False))

    def around(operation: str, phase: str) -> None:
        if (operation, phase) == ("create_function", "before") and next(somebody_was_first, False):
            world.functions.around = lambda operation, phase: None
            world.functions.create_function("orders", replace(request.functions[0].settings, role="r"), b"theirs")
            raise AlreadyExists("Function already exist: orders")

    world.functions.around = around

    assert isinstance(world.run(request).outcome, Succeeded)
    assert [call[0] for call in world.functions.calls if call[0] != "create_function"] == [
        "update_code",
        "publish_version",
        "create_alias",
    ]


def test_a_stop_before_anything_was_done_does_nothing(world: World) -> None:
    world.stop = "never mind"

    result = world.run(a_request(world, "v1"))

    assert isinstance(result.outcome, Abandoned)
    assert world.functions.calls == []


def test_the_alias_own_metrics_are_watched_where_a_whole_alias_tells_no_versions(world: World) -> None:
    released(world, "v1")
    slow = replace(ERRORS, period_s=5)
    world.clock.each_second.append(
        lambda at: world.metrics.record("orders:live", "", at, 10, 10 if world.routing() == Routing("2") else 0)
    )

    result = world.run(a_request(world, "v2", steps=strategy.parse(["100%", "wait 30s"]), alarms=(slow,)))

    assert isinstance(result.outcome, Failed)
    assert world.routing() == Routing("1")


def test_what_the_old_version_did_in_the_period_of_the_shift_is_not_held_against_the_new_one(world: World) -> None:
    released(world, "v1")
    world.clock.advance(3)
    world.metrics.record("orders:live", "", world.clock.now(), 10, 10)
    minute = replace(ERRORS, period_s=60)

    result = world.run(a_request(world, "v2", steps=strategy.parse(["100%", "wait 10s"]), alarms=(minute,)))

    assert isinstance(result.outcome, Succeeded)
