"""Preparations wait for the service, tell what they did, and give up with a reason."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime

import pytest

from core.clock import VirtualClock
from core.errors import Interrupted
from deploy.execute import READY_WITHIN_S, Executor, NotReady
from deploy.plan import CreateFunction, PublishVersion
from deploy.ports import FunctionSettings, FunctionState
from deploy.traffic.notes import Note
from tests.fakes.lambda_service import FakeLambda

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SETTINGS = FunctionSettings("app.handler", "python3.11", role="arn:aws:iam::123456789012:role/penstock")
CODE = b"zip"
SHA = base64.b64encode(hashlib.sha256(CODE).digest()).decode()


class FailingLambda(FakeLambda):
    """Its functions never become what they should."""

    def __init__(self, state: FunctionState) -> None:
        super().__init__()
        self._state = state

    def function(self, name: str, version: str | None = None) -> FunctionState | None:
        return self._state


def an_executor(service: FakeLambda, told: list[Note], stop: str = "") -> tuple[Executor, VirtualClock]:
    clock = VirtualClock(NOW)
    return Executor(service, clock, told.append, lambda: stop), clock


def test_a_pending_function_is_waited_for_before_it_is_published() -> None:
    service, told = FakeLambda(looks_until_ready=4), list[Note]()
    executor, clock = an_executor(service, told)

    version = executor.prepare([CreateFunction("orders", SETTINGS, SHA), PublishVersion("orders", SHA)], lambda: CODE)

    assert version == "1"
    assert clock.now() > NOW
    assert [note.kind for note in told] == ["CodeUpdated", "VersionPublished"]
    assert told[1].facts["version"] == "1"


def test_a_function_that_never_gets_ready_is_given_up_with_its_state() -> None:
    service = FailingLambda(FunctionState("orders", "$LATEST", SETTINGS, "sha", state="Pending"))
    executor, clock = an_executor(service, [])

    with pytest.raises(NotReady, match="is Pending"):
        executor.wait_until_ready("orders")
    assert (clock.now() - NOW).total_seconds() >= READY_WITHIN_S


@pytest.mark.parametrize(
    "state",
    [
        FunctionState("orders", "$LATEST", SETTINGS, "sha", state="Failed", state_reason="no such subnet"),
        FunctionState(
            "orders", "$LATEST", SETTINGS, "sha", last_update_status="Failed", last_update_reason="no such subnet"
        ),
    ],
)
def test_a_change_that_the_service_calls_failed_ends_at_once_with_its_reason(state: FunctionState) -> None:
    executor, clock = an_executor(FailingLambda(state), [])

    with pytest.raises(NotReady, match="no such subnet"):
        executor.wait_until_ready("orders")
    assert clock.now() == NOW


def test_a_stop_request_ends_the_wait() -> None:
    service = FailingLambda(FunctionState("orders", "$LATEST", SETTINGS, "sha", state="Pending"))
    executor, _ = an_executor(service, [], stop="enough")

    with pytest.raises(Interrupted, match="enough"):
        executor.wait_until_ready("orders")
