"""The legal moves of executions, stages and actions, one table each.

Source: CodePipeline PipelineExecutionStatus, StageExecutionStatus, ActionExecutionStatus and what changes them.
"""

from __future__ import annotations

from enum import StrEnum

from core.machine import Machine
from store.records import ActionStatus, ExecutionStatus, StageStatus


class ExecutionEvent(StrEnum):
    """What can happen to an execution."""

    SUCCEED = "succeed"
    FAIL = "fail"
    SUPERSEDE = "supersede"
    CANCEL = "cancel"
    STOP = "stop"
    ABANDON = "abandon"
    HALT = "halt"
    RETRY = "retry"


class StageEvent(StrEnum):
    """What can happen to a stage of an execution."""

    SUCCEED = "succeed"
    FAIL = "fail"
    CANCEL = "cancel"
    SKIP = "skip"
    STOP = "stop"
    HALT = "halt"
    RETRY = "retry"


class ActionEvent(StrEnum):
    """What can happen to one attempt at an action."""

    SUCCEED = "succeed"
    FAIL = "fail"
    ABANDON = "abandon"


_X = ExecutionStatus
_S = StageStatus
_A = ActionStatus

EXECUTION: Machine[ExecutionStatus, ExecutionEvent] = Machine(
    "execution",
    {
        (_X.IN_PROGRESS, ExecutionEvent.SUCCEED): _X.SUCCEEDED,
        (_X.IN_PROGRESS, ExecutionEvent.FAIL): _X.FAILED,
        (_X.IN_PROGRESS, ExecutionEvent.SUPERSEDE): _X.SUPERSEDED,
        (_X.IN_PROGRESS, ExecutionEvent.CANCEL): _X.CANCELLED,
        (_X.IN_PROGRESS, ExecutionEvent.STOP): _X.STOPPING,
        (_X.IN_PROGRESS, ExecutionEvent.ABANDON): _X.STOPPING,
        (_X.STOPPING, ExecutionEvent.ABANDON): _X.STOPPING,
        (_X.STOPPING, ExecutionEvent.HALT): _X.STOPPED,
        (_X.STOPPING, ExecutionEvent.FAIL): _X.FAILED,
        (_X.STOPPING, ExecutionEvent.SUCCEED): _X.SUCCEEDED,  # nothing was left to stop
        (_X.FAILED, ExecutionEvent.RETRY): _X.IN_PROGRESS,
        (_X.STOPPED, ExecutionEvent.RETRY): _X.IN_PROGRESS,
    },
)

STAGE: Machine[StageStatus, StageEvent] = Machine(
    "stage",
    {
        (_S.IN_PROGRESS, StageEvent.SUCCEED): _S.SUCCEEDED,
        (_S.IN_PROGRESS, StageEvent.FAIL): _S.FAILED,
        (_S.IN_PROGRESS, StageEvent.CANCEL): _S.CANCELLED,
        (_S.IN_PROGRESS, StageEvent.SKIP): _S.SKIPPED,
        (_S.IN_PROGRESS, StageEvent.STOP): _S.STOPPING,
        (_S.IN_PROGRESS, StageEvent.HALT): _S.STOPPED,  # it was only waiting in front of the stage
        (_S.IN_PROGRESS, StageEvent.RETRY): _S.IN_PROGRESS,  # by itself, before the stage was called failed
        (_S.STOPPING, StageEvent.SUCCEED): _S.SUCCEEDED,
        (_S.STOPPING, StageEvent.FAIL): _S.FAILED,
        (_S.STOPPING, StageEvent.HALT): _S.STOPPED,
        (_S.FAILED, StageEvent.RETRY): _S.IN_PROGRESS,
        (_S.STOPPED, StageEvent.RETRY): _S.IN_PROGRESS,
    },
)

ACTION: Machine[ActionStatus, ActionEvent] = Machine(
    "action",
    {
        (_A.IN_PROGRESS, ActionEvent.SUCCEED): _A.SUCCEEDED,
        (_A.IN_PROGRESS, ActionEvent.FAIL): _A.FAILED,
        (_A.IN_PROGRESS, ActionEvent.ABANDON): _A.ABANDONED,
    },
)

LIVE_EXECUTION = frozenset({_X.IN_PROGRESS, _X.STOPPING})
LIVE_STAGE = frozenset({_S.IN_PROGRESS, _S.STOPPING})
