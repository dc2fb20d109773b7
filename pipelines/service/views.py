"""What the service answers with: an execution as a tree, a pipeline's state, a decision's story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from store.records import ActionRecord, DeploymentRecord, ExecutionRecord, StageRecord


@dataclass(frozen=True, slots=True)
class ActionView:
    """One action of the definition and its attempts, oldest first; `attempts` is empty when it did not run yet.

    `deployments` are the releases of the newest attempt, oldest first. `log` is the newest attempt's log, if any.
    """

    name: str
    provider: str
    run_order: int
    attempts: tuple[ActionRecord, ...] = ()
    deployments: tuple[DeploymentRecord, ...] = ()
    log: Path | None = None

    @property
    def latest(self) -> ActionRecord | None:
        """The newest attempt."""
        return self.attempts[-1] if self.attempts else None


@dataclass(frozen=True, slots=True)
class StageView:
    """One stage of the definition; `record` is None until the execution arrives there."""

    name: str
    record: StageRecord | None
    actions: tuple[ActionView, ...]


@dataclass(frozen=True, slots=True)
class ExecutionView:
    """One execution with all its stages and actions in the definition's order.

    `by_hand` are rollbacks that a person asked for later, oldest first.
    """

    execution: ExecutionRecord
    stages: tuple[StageView, ...]
    by_hand: tuple[DeploymentRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class PendingApproval:
    """An approval somebody must answer: `token` is what an answer needs, `due_at` when it expires."""

    execution: ExecutionRecord
    action: ActionRecord
    message: str


@dataclass(frozen=True, slots=True)
class PipelineState:
    """One pipeline: what runs now, what waits for a person, and how the last finished execution ended."""

    name: str
    version: int
    file: str
    running: tuple[ExecutionView, ...]
    approvals: tuple[PendingApproval, ...]
    last: ExecutionRecord | None


@dataclass(frozen=True, slots=True)
class Decision:
    """One link of a story: what happened at `at`, in one plain sentence, and the facts it was decided from."""

    at: datetime
    seq: int
    kind: str
    subject: str
    sentence: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Story:
    """Why an execution is as it is: the `headline`, then the decisions that led to it, oldest first."""

    execution: ExecutionRecord
    headline: str
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class LogFile:
    """Where one action attempt's log is; the file may not exist (yet)."""

    stage: str
    action: str
    attempt: int
    path: Path
