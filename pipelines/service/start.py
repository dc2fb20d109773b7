"""Starting an execution: check the file, settle the variables, and write everything in one transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from core.errors import NotAllowed
from pipelines.definition.model import PipelineDefinition
from pipelines.service import variables
from pipelines.service.ports import Ports
from store.records import ExecutionRecord, ExecutionStatus, NewEvent, PipelineRecord, TriggerRecord
from store.transaction import Transaction

MOST_CONCURRENT = 50


@dataclass(frozen=True, slots=True)
class StartRequest:
    """A wish to run the pipeline written in `file_text`; `key` makes it idempotent ("" or None: always a new one).

    `variables` are the values given for this start; `source_revisions` maps source action name → revision to use.
    """

    file_text: str
    file: Path
    variables: Mapping[str, str]
    trigger_type: str
    trigger_detail: str
    key: str | None = None
    source_revisions: Mapping[str, str] = field(default_factory=dict)


def start(ports: Ports, request: StartRequest) -> ExecutionRecord | None:
    """The new execution, already due; None when an execution was started for the same `key` before.

    Raises:
        InvalidInput: the file, a variable or a source revision is wrong.
        NotAllowed: 50 executions of a QUEUED or PARALLEL pipeline are in progress.
    Source: CodePipeline StartPipelineExecution.
    """
    definition = ports.load(request.file_text, str(request.file))
    values = variables.resolve(definition.variables, request.variables)
    now = ports.clock.now()
    execution_id = ports.ids.uuid()
    digest = _digest(definition, request.file)
    with ports.database.transaction(durable=bool(request.key)) as transaction:
        if request.key and not transaction.accept_trigger(_trigger(request, definition.name, execution_id, now)):
            return None
        pipeline = transaction.save_pipeline(definition.name, definition.data, digest, str(request.file))
        _check_limit(transaction, definition)
        execution = _record(request, definition, pipeline, execution_id, values, now, transaction)
        transaction.add_execution(execution)
        transaction.append(_event(execution, request))
    ports.nudge()
    return execution


def _digest(definition: PipelineDefinition, file: Path) -> str:
    """What makes a pipeline version: the document, and where it lies (relative paths in it begin there)."""
    return hashlib.sha256(json.dumps([str(file), definition.data], sort_keys=True).encode()).hexdigest()


def _record(
    request: StartRequest,
    definition: PipelineDefinition,
    pipeline: PipelineRecord,
    execution_id: str,
    values: Mapping[str, str],
    now: datetime,
    transaction: Transaction,
) -> ExecutionRecord:
    return ExecutionRecord(
        id=execution_id,
        pipeline=definition.name,
        pipeline_version=pipeline.version,
        number=transaction.next_number(definition.name),
        status=ExecutionStatus.IN_PROGRESS,
        execution_mode=definition.execution_mode,
        execution_type="STANDARD",
        trigger_type=request.trigger_type,
        trigger_detail=request.trigger_detail,
        variables=values,
        source_revisions=dict(request.source_revisions),
        started_at=now,
        updated_at=now,
        wake_at=now,
    )


def _trigger(request: StartRequest, pipeline: str, execution_id: str, now: datetime) -> TriggerRecord:
    return TriggerRecord(
        key=request.key or "",
        pipeline=pipeline,
        kind=request.trigger_type,
        detail={"detail": request.trigger_detail},
        execution_id=execution_id,
        received_at=now,
    )


def _event(execution: ExecutionRecord, request: StartRequest) -> NewEvent:
    return NewEvent(
        kind="ExecutionStarted",
        subject=f"{execution.pipeline}/{execution.number}",
        why=f"{request.trigger_type}: {request.trigger_detail}",
        execution_id=execution.id,
        facts={
            "pipeline_version": execution.pipeline_version,
            "variables": dict(execution.variables),
            "source_revisions": dict(execution.source_revisions),
            **({"key": request.key} if request.key else {}),
        },
    )


def _check_limit(transaction: Transaction, definition: PipelineDefinition) -> None:
    """Source: CodePipeline ConcurrentPipelineExecutionsLimitExceededException (50 in QUEUED and PARALLEL)."""
    if definition.execution_mode == "SUPERSEDED":
        return
    running = transaction.executions(definition.name, status=ExecutionStatus.IN_PROGRESS, limit=MOST_CONCURRENT)
    if len(running) >= MOST_CONCURRENT:
        raise NotAllowed(
            f"{MOST_CONCURRENT} executions of {definition.name} are in progress, the most there may be",
            hint="wait for one to end, or stop one with `penstock stop`",
        )
