"""Reading: executions as trees, the state of every pipeline, ledger events, where logs are. Changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.engine.machine import LIVE_EXECUTION
from pipelines.service import lookup
from pipelines.service.ports import Ports
from pipelines.service.views import (
    ActionView,
    ExecutionView,
    LogFile,
    PendingApproval,
    PipelineState,
    StageView,
)
from store.records import ActionRecord, DeploymentRecord, Event, ExecutionRecord, ExecutionStatus, PipelineRecord
from store.transaction import Snapshot

ENDED = tuple(status for status in ExecutionStatus if status not in LIVE_EXECUTION)


def log_path(directory: Path, action: ActionRecord) -> Path:
    """Where the log of this action attempt is kept."""
    return directory / action.execution_id / f"{action.stage}.{action.action}.{action.attempt}.log"


def show(ports: Ports, ref: str | None, pipeline: str | None = None) -> ExecutionView:
    """The execution `ref` names, as a tree.

    Raises:
        NotFound: no such execution.
        NotAllowed: `ref` fits several.
    """
    with ports.database.snapshot() as snapshot:
        return view(ports, snapshot, lookup.execution(snapshot, ref, pipeline))


def view(ports: Ports, snapshot: Snapshot, execution: ExecutionRecord) -> ExecutionView:
    """`execution` with its stages, actions and releases, all from one snapshot."""
    data = snapshot.definition(execution.pipeline, execution.pipeline_version)
    stages = {record.stage: record for record in snapshot.stages(execution.id)}
    attempts: dict[tuple[str, str], list[ActionRecord]] = defaultdict(list)
    for record in sorted(snapshot.actions(execution.id), key=lambda action: action.attempt):
        attempts[record.stage, record.action].append(record)
    deployments: dict[str, list[DeploymentRecord]] = defaultdict(list)
    for deployment in reversed(snapshot.deployments(execution.id)):
        deployments[deployment.action_execution_id].append(deployment)
    return ExecutionView(
        execution,
        tuple(
            StageView(
                stage["name"],
                stages.get(stage["name"]),
                tuple(
                    _action(ports.log_directory, action, attempts[stage["name"], action["name"]], deployments)
                    for action in stage["actions"]
                ),
            )
            for stage in data["stages"]
        ),
        tuple(deployments.get("", ())),
    )


def _action(
    log_directory: Path,
    data: Mapping[str, Any],
    attempts: list[ActionRecord],
    deployments: Mapping[str, list[DeploymentRecord]],
) -> ActionView:
    latest = attempts[-1] if attempts else None
    return ActionView(
        name=data["name"],
        provider=data["provider"],
        run_order=data.get("runOrder", 1),
        attempts=tuple(attempts),
        deployments=tuple(deployments.get(latest.id, ())) if latest else (),
        log=log_path(log_directory, latest) if latest else None,
    )


def executions(
    ports: Ports, pipeline: str | None = None, status: ExecutionStatus | None = None, limit: int = 20
) -> list[ExecutionRecord]:
    """The newest executions first, at most `limit`."""
    with ports.database.snapshot() as snapshot:
        if pipeline is not None:
            snapshot.pipeline(pipeline)
        return snapshot.executions(pipeline, status=status, limit=limit)


def pipelines(ports: Ports) -> list[PipelineRecord]:
    """Every pipeline that was ever started here, by name."""
    with ports.database.snapshot() as snapshot:
        return sorted(snapshot.pipelines(), key=lambda pipeline: pipeline.name)


def status(ports: Ports) -> list[PipelineState]:
    """The state of every pipeline, by name; empty before the first start."""
    with ports.database.snapshot() as snapshot:
        pending = snapshot.pending_approvals()
        return [
            _state(ports, snapshot, pipeline, pending)
            for pipeline in sorted(snapshot.pipelines(), key=lambda pipeline: pipeline.name)
        ]


def _state(ports: Ports, snapshot: Snapshot, pipeline: PipelineRecord, pending: list[ActionRecord]) -> PipelineState:
    running = [
        view(ports, snapshot, execution)
        for wanted in LIVE_EXECUTION
        for execution in snapshot.executions(pipeline.name, status=wanted)
    ]
    by_id = {item.execution.id: item.execution for item in running}
    last = [execution for ended in ENDED for execution in snapshot.executions(pipeline.name, status=ended, limit=1)]
    return PipelineState(
        name=pipeline.name,
        version=pipeline.version,
        file=pipeline.file,
        running=tuple(sorted(running, key=lambda item: item.execution.number)),
        approvals=tuple(
            PendingApproval(
                by_id[action.execution_id], action, str(action.resolved_configuration.get("customData", ""))
            )
            for action in pending
            if action.execution_id in by_id
        ),
        last=max(last, key=lambda execution: execution.number, default=None),
    )


def events(ports: Ports, ref: str | None, after: int = 0, limit: int = 500) -> list[Event]:
    """The ledger's events of one execution with a sequence number above `after`, oldest first."""
    with ports.database.snapshot() as snapshot:
        execution = lookup.execution(snapshot, ref)
        return snapshot.events(execution.id, after=after, limit=limit)


def logs(
    ports: Ports, ref: str | None, stage: str | None = None, action: str | None = None
) -> tuple[ExecutionRecord, list[LogFile]]:
    """The logs of every action attempt of an execution in the order they began; narrowed by stage and action name."""
    with ports.database.snapshot() as snapshot:
        execution = lookup.execution(snapshot, ref)
        records = sorted(snapshot.actions(execution.id), key=lambda record: record.started_at)
    return execution, [
        LogFile(record.stage, record.action, record.attempt, log_path(ports.log_directory, record))
        for record in records
        if stage in (None, record.stage) and action in (None, record.action)
    ]
