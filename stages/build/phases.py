"""A build's phases as one table: what follows which end of which phase. Pure.

Source: CodeBuild user guide, "Build phase transitions", and the buildspec reference on `on-failure`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from core.machine import Machine


class Phase(StrEnum):
    """In their order. Source: CodeBuild BuildPhaseType."""

    SUBMITTED = "SUBMITTED"
    QUEUED = "QUEUED"
    PROVISIONING = "PROVISIONING"
    DOWNLOAD_SOURCE = "DOWNLOAD_SOURCE"
    INSTALL = "INSTALL"
    PRE_BUILD = "PRE_BUILD"
    BUILD = "BUILD"
    POST_BUILD = "POST_BUILD"
    UPLOAD_ARTIFACTS = "UPLOAD_ARTIFACTS"
    FINALIZING = "FINALIZING"
    COMPLETED = "COMPLETED"


class Status(StrEnum):
    """Of a phase and of a build. Source: CodeBuild StatusType."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    FAULT = "FAULT"
    TIMED_OUT = "TIMED_OUT"
    STOPPED = "STOPPED"


class OnFailure(StrEnum):
    """A phase's `on-failure`; DEFAULT when it is not given."""

    DEFAULT = "DEFAULT"
    ABORT = "ABORT"
    CONTINUE = "CONTINUE"


class End(StrEnum):
    """How a phase ended, as far as the next phase depends on it."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    FAILED_ABORT = "failed with on-failure ABORT"
    FAILED_CONTINUE = "failed with on-failure CONTINUE"
    BROKEN_OFF = "broken off"


COMMAND_PHASES = (Phase.INSTALL, Phase.PRE_BUILD, Phase.BUILD, Phase.POST_BUILD)

_ORDER = tuple(Phase)
_NEXT = dict(pairwise(_ORDER))
_AFTER_FAILURE = {
    Phase.SUBMITTED: Phase.FINALIZING,
    Phase.QUEUED: Phase.FINALIZING,
    Phase.PROVISIONING: Phase.FINALIZING,
    Phase.DOWNLOAD_SOURCE: Phase.FINALIZING,
    Phase.INSTALL: Phase.FINALIZING,
    Phase.PRE_BUILD: Phase.FINALIZING,
    Phase.BUILD: Phase.POST_BUILD,
    Phase.POST_BUILD: Phase.UPLOAD_ARTIFACTS,
    Phase.UPLOAD_ARTIFACTS: Phase.FINALIZING,
    Phase.FINALIZING: Phase.COMPLETED,
}


def _table() -> Mapping[tuple[Phase, End], Phase]:
    table = {(phase, End.SUCCEEDED): following for phase, following in _NEXT.items()}
    table |= {(phase, End.FAILED): following for phase, following in _AFTER_FAILURE.items()}
    table |= {(phase, End.FAILED_ABORT): Phase.FINALIZING for phase in COMMAND_PHASES}
    table |= {(phase, End.FAILED_CONTINUE): _NEXT[phase] for phase in COMMAND_PHASES}
    table |= {(phase, End.BROKEN_OFF): Phase.FINALIZING for phase in _ORDER[: _ORDER.index(Phase.FINALIZING)]}
    return table | {(Phase.FINALIZING, End.BROKEN_OFF): Phase.COMPLETED}


MACHINE: Machine[Phase, End] = Machine("build", _table())


@dataclass(frozen=True, slots=True)
class Context:
    """Why a phase did not succeed. Source: CodeBuild PhaseContext."""

    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class PhaseResult:
    """A phase that has ended."""

    phase: Phase
    status: Status
    context: Context
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build is: the phase it is in, and those that ended, in order."""

    phase: Phase = Phase.SUBMITTED
    results: tuple[PhaseResult, ...] = ()

    @property
    def succeeding(self) -> bool:
        """What CODEBUILD_BUILD_SUCCEEDING says: whether no phase has failed so far."""
        return all(result.status is Status.SUCCEEDED for result in self.results)

    @property
    def complete(self) -> bool:
        """Whether the build is over."""
        return self.phase is Phase.COMPLETED

    @property
    def status(self) -> Status:
        """The build's own status so far: FAILED as soon as a phase failed; being broken off outweighs failing."""
        seen = {result.status for result in self.results}
        worst_first = (Status.FAULT, Status.STOPPED, Status.TIMED_OUT, Status.FAILED)
        return next((status for status in worst_first if status in seen), Status.SUCCEEDED)

    @property
    def reasons(self) -> tuple[PhaseResult, ...]:
        """The phases that did not succeed."""
        return tuple(result for result in self.results if result.status is not Status.SUCCEEDED)

    def after(self, result: PhaseResult, on_failure: OnFailure = OnFailure.DEFAULT) -> Progress:
        """The progress once the present phase has ended as `result`.

        Raises:
            IllegalTransition: the build is over.
        """
        following = MACHINE.next(self.phase, end_of(result.status, on_failure))
        return replace(self, phase=following, results=(*self.results, result))


def end_of(status: Status, on_failure: OnFailure) -> End:
    """Which column of the table a phase's status and its `on-failure` mean."""
    if status is Status.SUCCEEDED:
        return End.SUCCEEDED
    if status is not Status.FAILED:
        return End.BROKEN_OFF
    columns = {OnFailure.ABORT: End.FAILED_ABORT, OnFailure.CONTINUE: End.FAILED_CONTINUE}
    return columns.get(on_failure, End.FAILED)
