"""What the service stands on, as one value the composition root fills in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from core.clock import Clock
from core.ids import Ids
from pipelines.definition.model import PipelineDefinition
from store.database import Database
from store.records import DeploymentRecord


class Releases(Protocol):
    """What the service asks of `deploy`: undo a release, or say what one would do. Both may take seconds."""

    def roll_back(self, deployment: DeploymentRecord, spec: Mapping[str, Any], reason: str) -> DeploymentRecord:
        """The deployment that put the alias back to where it was before `deployment`; `spec` describes its target."""
        ...

    def plan(
        self,
        definition: PipelineDefinition,
        configuration: Mapping[str, Any],
        artifact: str,
        variables: Mapping[str, str],
    ) -> Sequence[str]:
        """What releasing the artifact with that digest would do now, one line each; empty when nothing would change."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """`load(text, file)` checks a pipeline file; `restore(data)` revives one that was checked; `nudge` wakes runners."""

    database: Database
    clock: Clock
    ids: Ids
    log_directory: Path
    load: Callable[[str, str], PipelineDefinition]
    restore: Callable[[Mapping[str, Any]], PipelineDefinition]
    nudge: Callable[[], None]
    releases: Releases
