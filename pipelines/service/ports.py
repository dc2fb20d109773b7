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
from store.records import ArtifactRef, DeploymentRecord


class Releases(Protocol):
    """What the service asks of `deploy`: undo a release, or say what one would do. Both may take seconds."""

    def roll_back(
        self, deployment: DeploymentRecord, spec: Mapping[str, Any], to_version: str | None, by: str, reason: str
    ) -> DeploymentRecord:
        """The finished deployment that put the alias of `deployment` on `to_version` (None: where it was before).

        `spec` describes the target.
        """
        ...

    def plan(
        self, targets: Mapping[str, Mapping[str, Any]], configuration: Mapping[str, Any], artifact: ArtifactRef
    ) -> Sequence[str]:
        """What releasing the artifact would do now, one line each; `configuration` is the action's, resolved."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """`load(text, file)` checks a pipeline file, `nudge` wakes the runners; `releases` is only called when needed."""

    database: Database
    clock: Clock
    ids: Ids
    log_directory: Path
    load: Callable[[str, str], PipelineDefinition]
    nudge: Callable[[], None]
    releases: Callable[[], Releases]
