"""What deciding looks at: one execution and what surrounds it, as values read in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.engine.machine import LIVE_EXECUTION, LIVE_STAGE
from store.records import ActionRecord, ApprovalRecord, ExecutionRecord, StageRecord

STANDARD = "STANDARD"
ROLLBACK = "ROLLBACK"


@dataclass(frozen=True, slots=True)
class Other:
    """Another execution of the same pipeline with its latest stage (None: it has not arrived anywhere yet)."""

    execution: ExecutionRecord
    stage: StageRecord | None

    @property
    def live(self) -> bool:
        """Whether it is still going on."""
        return self.execution.status in LIVE_EXECUTION

    def occupies(self, stage: str) -> bool:
        """Whether it is inside `stage` now."""
        return self._at(stage) and self.stage is not None and inside(self.stage)

    def waits_at(self, stage: str) -> bool:
        """Whether it stands in front of `stage` now."""
        return self._at(stage) and self.stage is not None and waiting(self.stage)

    def _at(self, stage: str) -> bool:
        return self.live and self.stage is not None and self.stage.stage == stage


@dataclass(frozen=True, slots=True)
class ExecutionSnapshot:
    """One execution at one instant.

    `stages` by index; `actions` all attempts in the order they started; `approvals` by action execution id.
    `others`: every other live execution of the pipeline, and newer ended ones (who may have overtaken this one); only
    there while this one is between stages, and never in PARALLEL mode, where nobody waits. `inherited`: the target's
    succeeded actions, for a ROLLBACK execution. `last_good`: the newest execution that succeeded in the present stage,
    when the stage wants to roll back and something failed.
    """

    execution: ExecutionRecord
    stages: tuple[StageRecord, ...] = ()
    actions: tuple[ActionRecord, ...] = ()
    approvals: Mapping[str, ApprovalRecord] = field(default_factory=dict)
    others: tuple[Other, ...] = ()
    inherited: tuple[ActionRecord, ...] = ()
    last_good: ExecutionRecord | None = None

    @property
    def stage(self) -> StageRecord | None:
        """The stage the execution is at: the last one it arrived at."""
        return max(self.stages, key=lambda stage: stage.index, default=None)


def waiting(stage: StageRecord) -> bool:
    """Whether the execution stands in front of this stage of its."""
    return stage.entered_at is None and stage.status in LIVE_STAGE


def inside(stage: StageRecord) -> bool:
    """Whether the execution is in this stage of its."""
    return stage.entered_at is not None and stage.status in LIVE_STAGE
