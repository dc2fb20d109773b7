"""A hook succeeded only when it clearly did."""

from __future__ import annotations

import json
import threading

import pytest

from core.errors import NotAllowed, Unavailable
from deploy import hooks
from deploy.ports import InvokeResult
from deploy.traffic.machine import Lifecycle
from deploy.traffic.rollout import HookResult
from tests.fakes.lambda_service import FakeLambda, HandlerError

BEFORE = Lifecycle.BEFORE


def run(service: FakeLambda) -> HookResult | None:
    return hooks.run(service, "smoke", "d-1", BEFORE, lambda: True)


@pytest.mark.parametrize("value", [None, "fine", 0, {}, {"status": "Succeeded"}, [], {"status": ["Failed"]}])
def test_whatever_it_returns_but_failed_is_a_success(value: object) -> None:
    service = FakeLambda()
    service.handlers["smoke"] = lambda _payload: value

    assert run(service) == HookResult(BEFORE, True)


def test_failed_is_a_failure() -> None:
    service = FakeLambda()
    service.handlers["smoke"] = lambda _payload: {"status": "Failed", "why": "price is wrong"}

    result = run(service)

    assert result is not None
    assert not result.succeeded
    assert "price is wrong" in result.message


def test_a_function_error_is_a_failure_with_its_message() -> None:
    def raises(_payload: bytes) -> object:
        raise HandlerError("no such coupon")

    service = FakeLambda()
    service.handlers["smoke"] = raises

    assert run(service) == HookResult(BEFORE, False, "it raised: no such coupon")


def test_a_hook_that_does_not_exist_or_may_not_be_invoked_is_a_failure() -> None:
    class Closed(FakeLambda):
        def invoke(self, name: str, payload: bytes) -> InvokeResult:
            raise NotAllowed("access denied")

    assert "does not exist" in (run(FakeLambda()) or HookResult(BEFORE, True)).message
    assert "access denied" in (run(Closed()) or HookResult(BEFORE, True)).message


def test_a_target_that_does_not_answer_is_no_result() -> None:
    service = FakeLambda()
    service.down = True

    with pytest.raises(Unavailable):
        run(service)


def test_nobody_waits_longer_for_a_hook_than_they_want() -> None:
    release = threading.Event()
    service = FakeLambda()
    service.handlers["smoke"] = lambda _payload: release.wait(20)

    assert hooks.run(service, "smoke", "d-1", BEFORE, lambda: False) is None
    release.set()


def test_the_payload_is_codedeploys_and_the_same_for_every_try_of_one_event() -> None:
    service = FakeLambda()
    service.handlers["smoke"] = lambda _payload: None
    run(service)
    run(service)

    first, second = (json.loads(payload) for _, payload in service.invocations)
    assert first == second
    assert set(first) == {"DeploymentId", "LifecycleEventHookExecutionId"}
    assert first["DeploymentId"] == "d-1"
    other = hooks.payload("d-1", Lifecycle.AFTER)["LifecycleEventHookExecutionId"]
    assert other != first["LifecycleEventHookExecutionId"]
