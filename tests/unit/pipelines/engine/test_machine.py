"""The three tables: what may follow what."""

from __future__ import annotations

import pytest

from core.errors import IllegalTransition
from pipelines.engine.machine import ACTION, EXECUTION, LIVE_EXECUTION, LIVE_STAGE, STAGE, ActionEvent, ExecutionEvent
from store.records import ActionStatus, ExecutionStatus, StageStatus


def test_only_failed_and_stopped_executions_come_back_to_life() -> None:
    back = {state for (state, event) in EXECUTION.table if event is ExecutionEvent.RETRY}
    assert back == {ExecutionStatus.FAILED, ExecutionStatus.STOPPED}


@pytest.mark.parametrize(
    "state", [ExecutionStatus.SUCCEEDED, ExecutionStatus.SUPERSEDED, ExecutionStatus.CANCELLED], ids=str
)
def test_other_ends_are_final(state: ExecutionStatus) -> None:
    assert EXECUTION.final(state)
    with pytest.raises(IllegalTransition, match="is not possible"):
        EXECUTION.next(state, ExecutionEvent.STOP)


def test_a_stop_may_become_an_abandonment_but_not_the_other_way_round() -> None:
    assert EXECUTION.next(ExecutionStatus.STOPPING, ExecutionEvent.ABANDON) is ExecutionStatus.STOPPING
    with pytest.raises(IllegalTransition):
        EXECUTION.next(ExecutionStatus.STOPPING, ExecutionEvent.STOP)


def test_an_execution_stops_only_by_way_of_stopping() -> None:
    into_stopped = {state for (state, _), after in EXECUTION.table.items() if after is ExecutionStatus.STOPPED}
    assert into_stopped == {ExecutionStatus.STOPPING}


@pytest.mark.parametrize("event", list(ActionEvent), ids=str)
def test_an_attempt_ends_once(event: ActionEvent) -> None:
    ended = ACTION.next(ActionStatus.IN_PROGRESS, event)
    assert ACTION.final(ended)


def test_every_status_is_in_a_table_as_reached_or_as_start() -> None:
    assert set(EXECUTION.table.values()) | {ExecutionStatus.IN_PROGRESS} == set(ExecutionStatus)
    assert set(STAGE.table.values()) | {StageStatus.IN_PROGRESS} == set(StageStatus)
    assert set(ACTION.table.values()) | {ActionStatus.IN_PROGRESS} == set(ActionStatus)


def test_what_is_live_is_what_moves_by_itself() -> None:
    assert {ExecutionStatus.IN_PROGRESS, ExecutionStatus.STOPPING} == LIVE_EXECUTION
    assert {StageStatus.IN_PROGRESS, StageStatus.STOPPING} == LIVE_STAGE
