"""What deciding can ask for: a closed union of frozen values. `why` is the sentence the ledger keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from store.records import ActionRecord, ActionStatus, ArtifactRef, ExecutionStatus, StageStatus

RetryMode = Literal["FAILED_ACTIONS", "ALL_ACTIONS"]


@dataclass(frozen=True, slots=True)
class ArriveAtStage:
    """Stand in front of the stage."""

    stage: str
    index: int
    why: str


@dataclass(frozen=True, slots=True)
class EnterStage:
    """Take the stage; the execution may arrive at it only now."""

    stage: str
    index: int
    why: str


@dataclass(frozen=True, slots=True)
class StartAction:
    """Begin an attempt; its work is then performed until it has an outcome."""

    stage: str
    action: str
    attempt: int
    configuration: Mapping[str, Any]
    resolved_configuration: Mapping[str, Any]
    input_artifacts: tuple[ArtifactRef, ...]
    why: str


@dataclass(frozen=True, slots=True)
class RequestApproval:
    """Begin a manual approval: a token to answer with, valid until `due_at`."""

    stage: str
    action: str
    attempt: int
    configuration: Mapping[str, Any]
    resolved_configuration: Mapping[str, Any]
    due_at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class RefuseAction:
    """An attempt that fails before it began, because of what is configured."""

    stage: str
    action: str
    attempt: int
    configuration: Mapping[str, Any]
    error_code: str
    error_message: str
    why: str


@dataclass(frozen=True, slots=True)
class CallOffAction:
    """A running attempt has been told to stop, and is given up at `due_at` if it has not."""

    action_id: str
    due_at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class FinishAction:
    """End an attempt that nobody performs any more: an approval answered or expired, or work given up."""

    action_id: str
    status: ActionStatus
    error_code: str
    error_message: str
    summary: str
    why: str


@dataclass(frozen=True, slots=True)
class MarkStopping:
    """The stage will end as soon as what runs in it has ended."""

    stage: str
    why: str


@dataclass(frozen=True, slots=True)
class RetryStage:
    """Run the stage again, as its next attempt."""

    stage: str
    mode: RetryMode
    why: str


@dataclass(frozen=True, slots=True)
class FinishStage:
    """End the stage and let the next execution in."""

    stage: str
    status: StageStatus
    why: str


@dataclass(frozen=True, slots=True)
class StartRollback:
    """Start a ROLLBACK execution of the stage with what `target_id`, its last good execution, released."""

    stage: str
    target_id: str
    why: str


@dataclass(frozen=True, slots=True)
class SkipToStopped:
    """Stop here, as somebody asked: nothing runs any more and nothing else is started."""

    stage: str
    why: str


@dataclass(frozen=True, slots=True)
class Supersede:
    """Give way to a newer execution that stands at the same place or has passed it."""

    stage: str
    by_id: str
    why: str


@dataclass(frozen=True, slots=True)
class FinishExecution:
    """End the execution."""

    status: ExecutionStatus
    summary: str
    why: str


Command = (
    ArriveAtStage
    | EnterStage
    | StartAction
    | RequestApproval
    | RefuseAction
    | CallOffAction
    | FinishAction
    | MarkStopping
    | RetryStage
    | FinishStage
    | StartRollback
    | SkipToStopped
    | Supersede
    | FinishExecution
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now, in order.

    Without commands: `work` is the running attempts that need somebody to perform them, and `wake_at` the next
    time at which deciding again could say something else (None: only when something happens).
    """

    commands: tuple[Command, ...] = ()
    wake_at: datetime | None = None
    work: tuple[ActionRecord, ...] = ()
