"""The service on a real store and a declared clock, and an engine that only moves when a test tells it to."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from core.clock import VirtualClock
from core.ids import RandomIds
from pipelines.definition import from_data, load
from pipelines.definition.model import PipelineDefinition
from pipelines.engine import apply_actions
from pipelines.engine.machine import ACTION, ActionEvent
from pipelines.engine.observe import Definitions
from pipelines.engine.settle import Settler
from pipelines.service import Ports, Service
from store.database import Database
from store.records import ActionRecord, ActionStatus, ArtifactRef, DeploymentRecord, ExecutionRecord
from tests.fakes import catalog

FILE = Path("/work-tree/pipeline.yaml")
TEXT = """\
version: 1
name: orders
variables:
  level: {default: canary, allowed: [canary, all]}
stages:
  - name: Source
    actions:
      - {name: Checkout, provider: Git, configuration: {repository: .}, outputArtifacts: [Source]}
  - name: Build
    actions:
      - {name: Package, provider: CodeBuild, inputArtifacts: [Source], outputArtifacts: [Package], namespace: Build}
      - {name: Lint, provider: CodeBuild, inputArtifacts: [Source]}
  - name: Approve
    actions:
      - {name: Sign-off, provider: Manual, configuration: {CustomData: "good?"}}
  - name: Release
    actions:
      - name: Orders
        provider: CodeDeploy
        inputArtifacts: [Package]
        configuration: {target: local, alias: live, deploymentConfig: "#{Build.CONFIG}"}
targets:
  local: {}
"""


@dataclass
class FakeReleases:
    """Releases that only remember what was asked of them."""

    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def roll_back(
        self, deployment: DeploymentRecord, spec: Mapping[str, Any], to_version: str | None, by: str, reason: str
    ) -> DeploymentRecord:
        """Remembers, and answers a deployment that has ended."""
        self.asked.append((deployment.id, spec, to_version, by, reason))
        return replace(deployment, id="d-UNDONE123", creator="codeDeployRollback")

    def plan(
        self, targets: Mapping[str, Mapping[str, Any]], configuration: Mapping[str, Any], artifact: ArtifactRef
    ) -> Sequence[str]:
        """Remembers, and answers one line."""
        self.asked.append((dict(targets), dict(configuration), artifact.digest))
        return ["publish a new version"]


class Bench:
    """One home: `service` is what is tested, `settle` and `finish` play the engine, `nudges` counts wake-ups."""

    def __init__(self, directory: Path, clock: VirtualClock) -> None:
        self.clock = clock
        self.ids = RandomIds(random.Random(7))
        self.database = Database.open(f"sqlite:///{directory / 'penstock.db'}", clock=clock)
        self.releases = FakeReleases()
        self.nudges = 0
        self.logs = directory / "logs"
        self.service = Service(
            Ports(self.database, clock, self.ids, self.logs, self.load, self.nudge, lambda: self.releases)
        )
        restore = partial(from_data, catalog=catalog.catalog)
        self._settler = Settler(self.database, Definitions(restore), clock, self.ids)

    def load(self, text: str, file: str) -> PipelineDefinition:
        """A pipeline of the small catalog."""
        return load(text, file, catalog=catalog.catalog, provider_names=catalog.NAMES)

    def nudge(self) -> None:
        """Counts."""
        self.nudges += 1

    def start(self, text: str = TEXT, **options: Any) -> ExecutionRecord:
        """A started execution, a second after whatever was before."""
        self.clock.advance(1)
        given: dict[str, Any] = {"variables": {}, "trigger_type": "StartPipelineExecution", "trigger_detail": "Ada"}
        execution = self.service.start(text, FILE, **{**given, **options})
        assert execution is not None
        return execution

    def settle(self, execution: ExecutionRecord) -> ExecutionRecord:
        """Let the engine go as far as it can without anybody's work."""
        with self.database.transaction() as transaction:
            lease = transaction.take_lease(f"execution:{execution.id}", "bench", 10)
        assert lease is not None
        self._settler.settle(execution.id, lease)
        with self.database.transaction() as transaction:
            transaction.release_lease(lease)
        return self.execution(execution.id)

    def finish(self, execution: ExecutionRecord, action: str, status: ActionStatus, **changes: Any) -> ExecutionRecord:
        """End the running attempt at `action`, then let the engine go on."""
        self.clock.advance(1)
        with self.database.transaction() as transaction:
            running = [
                item
                for item in transaction.actions(execution.id)
                if item.action == action and item.status is ActionStatus.IN_PROGRESS
            ]
            event = {"Succeeded": ActionEvent.SUCCEED, "Failed": ActionEvent.FAIL}[status.value]
            ended = transaction.update_action(
                running[-1], status=ACTION.next(running[-1].status, event), ended_at=self.clock.now(), **changes
            )
            why = ended.error_message or "the provider says so"
            transaction.append(apply_actions.event_of(ended, f"Action{status.value}", why, {}))
        return self.settle(execution)

    def to_approval(self, **options: Any) -> ExecutionRecord:
        """An execution that waits for a person, its package made."""
        execution = self.settle(self.start(**options))
        self.finish(
            execution, "Checkout", ActionStatus.SUCCEEDED, output_artifacts=(ArtifactRef("Source", "a" * 64, 1),)
        )
        package = (ArtifactRef("Package", "b" * 64, 2),)
        made = {"output_artifacts": package, "output_variables": {"CONFIG": "AllAtOnce"}}
        self.finish(execution, "Package", ActionStatus.SUCCEEDED, **made)
        return self.finish(execution, "Lint", ActionStatus.SUCCEEDED)

    def failed_in_build(self, **options: Any) -> ExecutionRecord:
        """An execution that failed because the lint did."""
        execution = self.settle(self.start(**options))
        self.finish(
            execution, "Checkout", ActionStatus.SUCCEEDED, output_artifacts=(ArtifactRef("Source", "a" * 64, 1),)
        )
        self.finish(execution, "Package", ActionStatus.SUCCEEDED)
        problem = {"error_code": "BuildFailed", "error_message": "3 mistakes in app.py"}
        return self.finish(execution, "Lint", ActionStatus.FAILED, **problem)

    def execution(self, execution_id: str) -> ExecutionRecord:
        """The execution as it is now."""
        with self.database.snapshot() as snapshot:
            return snapshot.execution(execution_id)

    def action(self, execution: ExecutionRecord, name: str) -> ActionRecord:
        """The newest attempt at the action."""
        with self.database.snapshot() as snapshot:
            return [item for item in snapshot.actions(execution.id) if item.action == name][-1]

    def kinds(self, execution: ExecutionRecord) -> list[str]:
        """The kinds of the execution's events, oldest first."""
        with self.database.snapshot() as snapshot:
            return [event.kind for event in snapshot.events(execution.id)]
