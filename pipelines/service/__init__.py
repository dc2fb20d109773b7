"""What people and programs may ask of pipelines: the one door the command line, the API and the triggers use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipelines.service import approval, read, release, retry, start, stop, story
from pipelines.service.approval import Answer
from pipelines.service.ports import Ports, Releases
from pipelines.service.release import ActionPlan, Choice
from pipelines.service.retry import RetryMode
from pipelines.service.start import StartRequest
from pipelines.service.views import (
    ActionView,
    Decision,
    ExecutionView,
    LogFile,
    PendingApproval,
    PipelineState,
    StageView,
    Story,
)
from store.records import ActionRecord, DeploymentRecord, Event, ExecutionRecord, ExecutionStatus, PipelineRecord

__all__ = [
    "ActionPlan",
    "ActionView",
    "Answer",
    "Choice",
    "Decision",
    "ExecutionView",
    "LogFile",
    "PendingApproval",
    "PipelineState",
    "Ports",
    "Releases",
    "Service",
    "StageView",
    "StartRequest",
    "Story",
]


class Service:
    """Every change is one transaction with its ledger event, and wakes a runner after the commit."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports

    def start(
        self,
        file_text: str,
        file: Path,
        *,
        variables: Mapping[str, str],
        trigger_type: str,
        trigger_detail: str,
        key: str | None = None,
        source_revisions: Mapping[str, str] | None = None,
    ) -> ExecutionRecord | None:
        """The new execution; None when `key` started one before. See `pipelines.service.start`."""
        return start.start(
            self.ports,
            StartRequest(file_text, file, variables, trigger_type, trigger_detail, key, dict(source_revisions or {})),
        )

    def show(self, ref: str | None = None, pipeline: str | None = None) -> ExecutionView:
        """One execution as a tree. See `pipelines.service.read`."""
        return read.show(self.ports, ref, pipeline)

    def executions(
        self, pipeline: str | None = None, status: ExecutionStatus | None = None, limit: int = 20
    ) -> list[ExecutionRecord]:
        """The newest executions first."""
        return read.executions(self.ports, pipeline, status, limit)

    def pipelines(self) -> list[PipelineRecord]:
        """Every pipeline known here, by name."""
        return read.pipelines(self.ports)

    def status(self) -> list[PipelineState]:
        """What runs, what waits and for whom, and the last result, per pipeline."""
        return read.status(self.ports)

    def events(self, ref: str | None, after: int = 0, limit: int = 500) -> list[Event]:
        """The ledger's events of one execution, oldest first."""
        return read.events(self.ports, ref, after, limit)

    def logs(
        self, ref: str | None, stage: str | None = None, action: str | None = None
    ) -> tuple[ExecutionRecord, list[LogFile]]:
        """Where the logs of an execution's actions are."""
        return read.logs(self.ports, ref, stage, action)

    def log_path(self, action: ActionRecord) -> Path:
        """Where the log of one action attempt is."""
        return read.log_path(self.ports.log_directory, action)

    def why(self, ref: str | None = None) -> Story:
        """The chain of decisions that led to an execution's result. See `pipelines.service.story`."""
        return story.story(self.ports, ref)

    def answer(self, wish: Answer) -> ActionRecord:
        """Approve or reject. See `pipelines.service.approval`."""
        return approval.answer(self.ports, wish)

    def stop(self, ref: str | None, *, abandon: bool = False, reason: str = "") -> ExecutionRecord:
        """Stop an execution. See `pipelines.service.stop`."""
        return stop.stop(self.ports, ref, abandon=abandon, reason=reason)

    def retry(self, ref: str | None, stage: str | None = None, mode: RetryMode = "FAILED_ACTIONS") -> ExecutionRecord:
        """Run a failed stage again. See `pipelines.service.retry`."""
        return retry.retry(self.ports, ref, stage, mode)

    def roll_back(self, choice: Choice, by: str, reason: str) -> DeploymentRecord:
        """Undo a release. See `pipelines.service.release`."""
        return release.roll_back(self.ports, choice, by, reason)

    def plan(self, file_text: str, file: Path, variables: Mapping[str, str], action: str = "") -> list[ActionPlan]:
        """What the file's releases would do now. See `pipelines.service.release`."""
        return release.plan(self.ports, file_text, str(file), variables, action)
