"""Records with plausible values, to be varied by the test that needs them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from store.records import (
    ActionRecord,
    ActionStatus,
    DeploymentRecord,
    ExecutionRecord,
    ExecutionStatus,
    StageRecord,
    StageStatus,
    TriggerRecord,
)

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def an_execution(id_: str = "0a1b2c3d-0000-4000-8000-000000000001", **changes: Any) -> ExecutionRecord:
    values: dict[str, Any] = {
        "pipeline": "orders",
        "pipeline_version": 1,
        "number": 1,
        "status": ExecutionStatus.IN_PROGRESS,
        "execution_mode": "QUEUED",
        "execution_type": "STANDARD",
        "trigger_type": "StartPipelineExecution",
        "trigger_detail": "by hand",
        "variables": {"level": "canary"},
        "source_revisions": {"Checkout": "abc"},
        "started_at": AT,
        "updated_at": AT,
    }
    return ExecutionRecord(id=id_, **{**values, **changes})


def a_stage(execution_id: str, stage: str = "Source", index: int = 0, **changes: Any) -> StageRecord:
    values: dict[str, Any] = {"status": StageStatus.IN_PROGRESS, "arrived_at": AT}
    return StageRecord(execution_id=execution_id, stage=stage, index=index, **{**values, **changes})


def an_action(id_: str, execution_id: str, **changes: Any) -> ActionRecord:
    values: dict[str, Any] = {
        "stage": "Source",
        "action": "Checkout",
        "attempt": 1,
        "status": ActionStatus.IN_PROGRESS,
        "started_at": AT,
        "updated_at": AT,
    }
    return ActionRecord(id=id_, execution_id=execution_id, **{**values, **changes})


def a_deployment(id_: str, **changes: Any) -> DeploymentRecord:
    values: dict[str, Any] = {
        "execution_id": "e-1",
        "action_execution_id": "a-1",
        "target": "local",
        "function": "orders",
        "alias": "live",
        "status": "Created",
        "creator": "user",
        "state": {"step": 0},
        "created_at": AT,
        "updated_at": AT,
    }
    return DeploymentRecord(id=id_, **{**values, **changes})


def a_trigger(key: str, **changes: Any) -> TriggerRecord:
    values: dict[str, Any] = {
        "pipeline": "orders",
        "kind": "GitHook",
        "detail": {"commit": "abc"},
        "execution_id": "",
        "received_at": AT,
    }
    return TriggerRecord(key=key, **{**values, **changes})
