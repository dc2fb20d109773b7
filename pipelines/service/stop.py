"""Stopping an execution: let running actions end (wait), or leave them behind (abandon)."""

from __future__ import annotations

from core.errors import InvalidInput, NotAllowed
from pipelines.engine.machine import EXECUTION, LIVE_EXECUTION, ExecutionEvent
from pipelines.service import lookup
from pipelines.service.ports import Ports
from store.records import ExecutionRecord, NewEvent, StopMode

LONGEST_REASON = 200


def stop(ports: Ports, ref: str | None, *, abandon: bool = False, reason: str = "") -> ExecutionRecord:
    """The execution, now Stopping and due at once.

    Raises:
        InvalidInput: the reason is longer than 200 characters.
        NotFound: no such execution.
        NotAllowed: it has ended, or is being stopped that way already (abandon may follow wait).
    Source: CodePipeline StopPipelineExecution (PipelineExecutionNotStoppable, DuplicatedStopRequest).
    """
    if len(reason) > LONGEST_REASON:
        raise InvalidInput(f"the reason has {len(reason)} characters, {LONGEST_REASON} at most")
    mode = StopMode.ABANDON if abandon else StopMode.WAIT
    now = ports.clock.now()
    with ports.database.transaction() as transaction:
        execution = lookup.execution(transaction, ref)
        _check(execution, mode)
        status = EXECUTION.next(execution.status, ExecutionEvent.ABANDON if abandon else ExecutionEvent.STOP)
        stopping = transaction.update_execution(execution, status=status, stop=mode, stop_reason=reason, wake_at=now)
        transaction.append(
            NewEvent(
                kind="StopRequested",
                subject=f"{execution.pipeline}/{execution.number}",
                why=(reason or "somebody asked for it") + ("; running actions are left behind" if abandon else ""),
                execution_id=execution.id,
                facts={"mode": mode.value, "reason": reason},
            )
        )
    ports.nudge()
    return stopping


def _check(execution: ExecutionRecord, mode: StopMode) -> None:
    name = f"{execution.pipeline}/{execution.number}"
    if execution.status not in LIVE_EXECUTION:
        raise NotAllowed(f"execution {name} is {execution.status.value} and cannot be stopped")
    if execution.stop is StopMode.ABANDON or (execution.stop is StopMode.WAIT and mode is StopMode.WAIT):
        hint = "" if execution.stop is StopMode.ABANDON else "add --abandon to leave running actions behind"
        raise NotAllowed(f"execution {name} is being stopped already", hint=hint)
