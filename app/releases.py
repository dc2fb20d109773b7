"""Releases as the service asks for them: rolling back by hand, and planning with a stored package."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.clock import Clock
from core.errors import NotFound
from core.holder import this_process
from core.ids import Ids
from deploy import request, show
from deploy.clients import BotoClients
from deploy.release import Release
from deploy.targets import Targets
from store.artifacts import ArtifactStore
from store.database import Database
from store.records import ArtifactRef, DeploymentRecord


class BotoReleases:
    """Releases to any target that boto3 reaches."""

    def __init__(self, database: Database, artifacts: ArtifactStore, targets: Targets, clock: Clock, ids: Ids) -> None:
        self._artifacts = artifacts
        self._targets = targets
        self._release = Release(BotoClients(), database, clock, ids, this_process())

    def roll_back(
        self, deployment: DeploymentRecord, spec: Mapping[str, Any], to_version: str | None, by: str, reason: str
    ) -> DeploymentRecord:
        """See `pipelines.service.ports.Releases`."""
        return self._release.roll_back(
            self._targets(deployment.target, spec),
            deployment.function,
            deployment.alias,
            to_version,
            by=by,
            why=reason,
            execution_id=deployment.execution_id,
        )

    def plan(
        self, targets: Mapping[str, Mapping[str, Any]], configuration: Mapping[str, Any], artifact: ArtifactRef
    ) -> Sequence[str]:
        """See `pipelines.service.ports.Releases`."""
        name = configuration["target"]
        if name not in targets:
            raise NotFound(f"there is no target {name!r}", hint=f"there are {', '.join(targets)}")
        with tempfile.TemporaryDirectory(prefix="penstock-plan-") as workspace:
            directory = Path(workspace)
            self._artifacts.unpack(artifact, directory)
            wanted = request.from_configuration(
                configuration,
                directory=directory,
                target=self._targets(name, targets[name]),
                execution_id="",
                action_execution_id="",
            )
            return [
                line for item in self._release.plan_only(wanted) for line in _lines(item.function, item.instructions)
            ]


def _lines(function: str, instructions: Sequence[Any]) -> list[str]:
    return show.render(instructions) if instructions else [f"{function}: {show.NOTHING}"]
