"""What the tables hold, as plain values. Every record with `revision` is moved by compare-and-set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class ExecutionStatus(StrEnum):
    """Source: CodePipeline PipelineExecutionStatus."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    SUCCEEDED = "Succeeded"
    SUPERSEDED = "Superseded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


class StageStatus(StrEnum):
    """Source: CodePipeline StageExecutionStatus."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    SKIPPED = "Skipped"


class ActionStatus(StrEnum):
    """Source: CodePipeline ActionExecutionStatus."""

    IN_PROGRESS = "InProgress"
    ABANDONED = "Abandoned"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class StopMode(StrEnum):
    """What somebody asked of an execution."""

    NONE = "none"
    WAIT = "stop-and-wait"
    ABANDON = "stop-and-abandon"


@dataclass(frozen=True, slots=True)
class PipelineRecord:
    """A pipeline by name; `definition` is the document's plain data, `version` counts accepted changes from 1."""

    name: str
    version: int
    digest: str
    definition: Mapping[str, Any]
    file: str
    created_at: datetime
    updated_at: datetime
    revision: int = 0


@dataclass(frozen=True, slots=True)
class ExecutionRecord:
    """One run of a pipeline. `number` counts per pipeline from 1.

    `wake_at` is when the execution wants to be advanced: in the past = now, None = only when something happens.
    `source_revisions` maps source action name → revision id. `variables` are resolved values.
    """

    id: str
    pipeline: str
    pipeline_version: int
    number: int
    status: ExecutionStatus
    execution_mode: str
    execution_type: str  # STANDARD | ROLLBACK
    trigger_type: str  # StartPipelineExecution | Webhook | GitHook | Schedule | ManualRollback | AutomatedRollback
    trigger_detail: str
    variables: Mapping[str, str]
    source_revisions: Mapping[str, str]
    started_at: datetime
    updated_at: datetime
    status_summary: str = ""
    stop: StopMode = StopMode.NONE
    stop_reason: str = ""
    wake_at: datetime | None = None
    ended_at: datetime | None = None
    rollback_target: str = ""
    start_overrides: Mapping[str, Any] = field(default_factory=dict)
    revision: int = 0


@dataclass(frozen=True, slots=True)
class StageRecord:
    """One stage of one execution; a row exists from the moment the execution arrives at the stage.

    `entered_at` is None while the execution waits in front of the stage. `attempt` counts from 1, retries raise it.
    Action rows of attempts before `since_attempt` no longer count (a retry of ALL_ACTIONS raises it to `attempt`).
    """

    execution_id: str
    stage: str
    index: int
    status: StageStatus
    arrived_at: datetime
    entered_at: datetime | None = None
    ended_at: datetime | None = None
    attempt: int = 1
    since_attempt: int = 1
    auto_retried: bool = False
    revision: int = 0


@dataclass(frozen=True, slots=True)
class ArtifactRef:
    """A stored artifact: its name in the pipeline, sha256 hex digest and size."""

    name: str
    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """One attempt at an action (an action execution in AWS's words).

    `starts` counts how often a driver began the work: more than 1 means it was resumed after a crash.
    `token` and `due_at` are set for approvals (the token to answer with, when it expires).
    """

    id: str
    execution_id: str
    stage: str
    action: str
    attempt: int
    status: ActionStatus
    started_at: datetime
    updated_at: datetime
    starts: int = 0
    ended_at: datetime | None = None
    summary: str = ""
    external_id: str = ""
    error_code: str = ""
    error_message: str = ""
    percent_complete: int | None = None
    token: str = ""
    due_at: datetime | None = None
    configuration: Mapping[str, Any] = field(default_factory=dict)
    resolved_configuration: Mapping[str, Any] = field(default_factory=dict)
    input_artifacts: tuple[ArtifactRef, ...] = ()
    output_artifacts: tuple[ArtifactRef, ...] = ()
    output_variables: Mapping[str, str] = field(default_factory=dict)
    revision: int = 0


@dataclass(frozen=True, slots=True)
class ApprovalRecord:
    """The answer to a manual approval; at most one per action execution. `status` is Approved or Rejected."""

    action_execution_id: str
    status: str
    summary: str
    answered_by: str
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class DeploymentRecord:
    """One release of one function alias. `state` is the rollout machine's own value, owned by `deploy`."""

    id: str
    execution_id: str
    action_execution_id: str
    target: str
    function: str
    alias: str
    status: str  # Created | InProgress | Succeeded | Failed | Stopped  (Source: CodeDeploy DeploymentStatus)
    creator: str  # user | codeDeployRollback
    state: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class TriggerRecord:
    """An event that was accepted, by its idempotency key, and the execution it started ("" when filtered out)."""

    key: str
    pipeline: str
    kind: str
    detail: Mapping[str, Any]
    execution_id: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to drive something until `expires_at`. `token` grows with every taking (the fence)."""

    name: str
    holder: str
    token: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event about to be appended. `why` is one sentence; `facts` is what the decision was made from.

    `kind` is `<Subject><PastVerb>`: ExecutionStarted, StageEntered, ActionSucceeded, TrafficShifted, AlarmFired …
    """

    kind: str
    subject: str
    why: str = ""
    execution_id: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """An event in the ledger; `hash` covers every other field and `previous` (the hash of the event before)."""

    seq: int
    at: datetime
    kind: str
    subject: str
    why: str
    execution_id: str
    facts: Mapping[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """Whether the ledger's chain is whole; `reason` says what is wrong at `bad_seq` when it is not."""

    ok: bool
    count: int
    bad_seq: int | None = None
    reason: str = ""
