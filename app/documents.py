"""What the service answers, as JSON documents: the one shape that the API sends and `--json` prints.

Keys are camelCase in AWS's words, times are UTC with microseconds and `Z`, absent values are null. Keys are only ever
added.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.units import iso
from pipelines.service.release import ActionPlan
from pipelines.service.story import sentence
from pipelines.service.views import (
    ActionView,
    Decision,
    ExecutionView,
    PendingApproval,
    PipelineState,
    StageView,
    Story,
)
from store.records import ActionRecord, DeploymentRecord, Event, ExecutionRecord, PipelineRecord

Document = dict[str, Any]


def execution(record: ExecutionRecord) -> Document:
    """One execution without its stages."""
    return {
        "id": record.id,
        "pipeline": record.pipeline,
        "pipelineVersion": record.pipeline_version,
        "number": record.number,
        "status": record.status.value,
        "statusSummary": record.status_summary,
        "executionMode": record.execution_mode,
        "executionType": record.execution_type,
        "trigger": {"triggerType": record.trigger_type, "triggerDetail": record.trigger_detail},
        "variables": dict(record.variables),
        "sourceRevisions": dict(record.source_revisions),
        "stop": {"mode": record.stop.value, "reason": record.stop_reason},
        "rollbackTarget": record.rollback_target or None,
        "startedAt": iso(record.started_at),
        "updatedAt": iso(record.updated_at),
        "endedAt": _at(record.ended_at),
    }


def tree(view: ExecutionView) -> Document:
    """One execution with its stages, actions, attempts, artifacts, variables and releases."""
    return {
        **execution(view.execution),
        "stages": [_stage(stage) for stage in view.stages],
        "rollbacksByHand": [deployment(item) for item in view.by_hand],
    }


def _stage(view: StageView) -> Document:
    record = view.record
    return {
        "name": view.name,
        "status": record.status.value if record else None,
        "attempt": record.attempt if record else 0,
        "arrivedAt": _at(record.arrived_at if record else None),
        "enteredAt": _at(record.entered_at if record else None),
        "endedAt": _at(record.ended_at if record else None),
        "actions": [_action(action) for action in view.actions],
    }


def _action(view: ActionView) -> Document:
    latest = view.latest
    return {
        "name": view.name,
        "provider": view.provider,
        "runOrder": view.run_order,
        "status": latest.status.value if latest else None,
        "log": str(view.log) if view.log else None,
        "latest": attempt(latest) if latest else None,
        "attempts": len(view.attempts),
        "deployments": [deployment(item) for item in view.deployments],
    }


def attempt(record: ActionRecord) -> Document:
    """One attempt at an action."""
    return {
        "id": record.id,
        "stage": record.stage,
        "action": record.action,
        "attempt": record.attempt,
        "starts": record.starts,
        "status": record.status.value,
        "summary": record.summary,
        "percentComplete": record.percent_complete,
        "externalExecutionId": record.external_id,
        "error": {"code": record.error_code, "message": record.error_message} if record.error_code else None,
        "token": record.token or None,
        "expiresAt": _at(record.due_at),
        "configuration": dict(record.configuration),
        "resolvedConfiguration": dict(record.resolved_configuration),
        "inputArtifacts": [_artifact(item.name, item.digest, item.size_bytes) for item in record.input_artifacts],
        "outputArtifacts": [_artifact(item.name, item.digest, item.size_bytes) for item in record.output_artifacts],
        "outputVariables": dict(record.output_variables),
        "startedAt": iso(record.started_at),
        "updatedAt": iso(record.updated_at),
        "endedAt": _at(record.ended_at),
    }


def _artifact(name: str, digest: str, size_bytes: int) -> Document:
    return {"name": name, "sha256": digest, "sizeBytes": size_bytes}


def deployment(record: DeploymentRecord) -> Document:
    """One release of one function alias; `state` is the rollout's own, the three keys before it are taken from it."""
    return {
        "id": record.id,
        "executionId": record.execution_id,
        "target": record.target,
        "function": record.function,
        "alias": record.alias,
        "status": record.status,
        "creator": record.creator,
        "oldVersion": record.state.get("old_version") or None,
        "newVersion": record.state.get("new_version") or None,
        "weightPct": record.state.get("weight_pct", 0.0),
        "state": dict(record.state),
        "createdAt": iso(record.created_at),
        "updatedAt": iso(record.updated_at),
        "endedAt": _at(record.ended_at),
    }


def pipeline(record: PipelineRecord) -> Document:
    """One pipeline."""
    return {
        "name": record.name,
        "version": record.version,
        "file": record.file,
        "createdAt": iso(record.created_at),
        "updatedAt": iso(record.updated_at),
    }


def state(value: PipelineState) -> Document:
    """One pipeline's state."""
    return {
        "name": value.name,
        "version": value.version,
        "file": value.file,
        "running": [tree(view) for view in value.running],
        "approvals": [_pending(approval) for approval in value.approvals],
        "last": execution(value.last) if value.last else None,
    }


def _pending(value: PendingApproval) -> Document:
    return {
        "executionId": value.execution.id,
        "pipeline": value.execution.pipeline,
        "number": value.execution.number,
        "stage": value.action.stage,
        "action": value.action.action,
        "token": value.action.token,
        "message": value.message,
        "expiresAt": _at(value.action.due_at),
    }


def event(record: Event) -> Document:
    """One event of the ledger, with its sentence."""
    return {
        "seq": record.seq,
        "at": iso(record.at),
        "kind": record.kind,
        "subject": record.subject,
        "why": record.why,
        "sentence": sentence(record),
        "executionId": record.execution_id,
        "facts": dict(record.facts),
        "hash": record.hash,
    }


def story(value: Story) -> Document:
    """Why an execution is as it is."""
    return {
        "execution": execution(value.execution),
        "headline": value.headline,
        "decisions": [_decision(decision) for decision in value.decisions],
    }


def _decision(value: Decision) -> Document:
    facts: Mapping[str, Any] = value.facts
    return {
        "at": iso(value.at),
        "seq": value.seq,
        "kind": value.kind,
        "subject": value.subject,
        "sentence": value.sentence,
        "facts": dict(facts),
    }


def plan(value: ActionPlan) -> Document:
    """What one release action would do."""
    return {"stage": value.stage, "action": value.action, "sha256": value.artifact, "lines": list(value.lines)}


def _at(value: datetime | None) -> str | None:
    return iso(value) if value is not None else None
