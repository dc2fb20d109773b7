"""An engine in a temporary home with providers that are functions: what the engine's tests and benchmark stand on."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.clock import Clock, SystemClock
from core.holder import this_process
from core.ids import Ids, RandomIds
from core.outcome import Outcome, Succeeded
from pipelines.definition import from_data
from pipelines.engine.claims import lease_name
from pipelines.engine.holding import Holding
from pipelines.engine.observe import Definitions
from pipelines.engine.perform import Workshop, perform
from pipelines.engine.settle import Settler
from stages.base import ActionContext, ActionType, Configuration
from store.artifacts import ArtifactStore
from store.database import Database
from store.records import ActionRecord, ActionStatus, ExecutionRecord, ExecutionStatus, NewEvent, StopMode

Work = Callable[[ActionContext], Outcome]


class Anything(Configuration):
    """A configuration nobody checks."""


def catalog(name: str) -> ActionType:
    """The action type of any provider: its name is its category, but for the few that are known."""
    return ActionType(name, name, (0, 9), (0, 9), Anything)


def at_once(context: ActionContext) -> Outcome:
    """Succeed without doing anything."""
    return Succeeded(artifacts=dict.fromkeys(context.output_artifacts, context.workspace))


@dataclass(slots=True)
class Scripted:
    """A provider that does what `script` says for a `<stage>/<action>`, else succeeds at once; `ran` is what it did."""

    script: dict[str, Work] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)

    def run(self, context: ActionContext) -> Outcome:
        """The scripted outcome."""
        place = f"{context.stage}/{context.action}"
        self.ran.append(place)
        return self.script.get(place, at_once)(context)


def pipeline(
    *stages: Sequence[Mapping[str, Any]] | Mapping[str, Any], mode: str = "QUEUED", **rest: Any
) -> dict[str, Any]:
    """A pipeline's document: each stage is a list of actions (name and provider default to `A<n>` and `Work`)."""
    built = []
    for number, stage in enumerate(stages, 1):
        body = dict(stage) if isinstance(stage, Mapping) else {"actions": stage}
        actions = [
            {"name": f"A{index}", "provider": "Work", **action} for index, action in enumerate(body["actions"], 1)
        ]
        built.append({"name": f"S{number}", **body, "actions": actions})
    return {"version": 1, "name": "orders", "executionMode": mode, "stages": built, **rest}


class World:
    """A store, an artifact store and the engine's parts in `home`."""

    def __init__(self, home: Path, *, clock: Clock | None = None, ids: Ids | None = None) -> None:
        self.home = home
        self.clock = clock or SystemClock()
        self.ids = ids or RandomIds()
        self.database = Database.open(f"sqlite:///{home / 'penstock.db'}", clock=self.clock)
        self.artifacts = ArtifactStore(home / "artifacts")
        self.definitions = Definitions(lambda data: from_data(data, catalog=catalog))
        self.provider = Scripted()
        self.settler = Settler(self.database, self.definitions, self.clock, self.ids)
        self.workshop = Workshop(
            self.settler,
            self.artifacts,
            home,
            lambda _: self.provider,
            lambda path: shutil.rmtree(path, ignore_errors=True),
        )

    def close(self) -> None:
        """Close the store."""
        self.database.close()

    def start(self, data: Mapping[str, Any], **changes: Any) -> ExecutionRecord:
        """A new execution of `data`, due now; `changes` to its record."""
        now = self.clock.now()
        digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
        with self.database.transaction() as tx:
            known = tx.save_pipeline(data["name"], data, digest, str(self.home / "pipeline.yaml"))
            fields: dict[str, Any] = {
                "id": self.ids.uuid(),
                "pipeline": known.name,
                "pipeline_version": known.version,
                "number": tx.next_number(known.name),
                "status": ExecutionStatus.IN_PROGRESS,
                "execution_mode": data["executionMode"],
                "execution_type": "STANDARD",
                "trigger_type": "StartPipelineExecution",
                "trigger_detail": "a test",
                "variables": {},
                "source_revisions": {},
                "started_at": now,
                "updated_at": now,
                "wake_at": now,
            }
            record = ExecutionRecord(**{**fields, **changes})
            tx.add_execution(record)
            tx.append(NewEvent("ExecutionStarted", f"{known.name}/{record.number}", "a test", record.id))
        return record

    def stop(self, execution_id: str, mode: StopMode) -> None:
        """Ask for a stop, as the service does."""
        with self.database.transaction() as tx:
            tx.update_execution(
                tx.execution(execution_id), status=ExecutionStatus.STOPPING, stop=mode, wake_at=self.clock.now()
            )

    def hold(self, execution_id: str, holder: str = "") -> Holding:
        """The right to drive it."""
        with self.database.transaction() as tx:
            lease = tx.take_lease(lease_name(execution_id), holder or this_process(), 10)
        assert lease is not None
        return Holding(lease)

    def drive(self, execution_id: str) -> None:
        """Settle and perform, one action after the other, until nothing can be done now; then park."""
        holding = self.hold(execution_id)
        begun: set[str] = set()
        while True:
            settled = self.settler.settle(execution_id, holding.lease)
            begun |= settled.begun
            for record in settled.work:
                performed = perform(self.workshop, holding, record, begun=record.id in begun)
                begun |= performed.settled.begun if performed.settled else frozenset()
            if not settled.work and self.settler.park(execution_id, holding.lease):
                return

    def execution(self, execution_id: str) -> ExecutionRecord:
        """The execution as it is now."""
        with self.database.snapshot() as reader:
            return reader.execution(execution_id)

    def stages(self, execution_id: str) -> dict[str, str]:
        """Each stage's status."""
        with self.database.snapshot() as reader:
            return {stage.stage: stage.status.value for stage in reader.stages(execution_id)}

    def actions(self, execution_id: str) -> list[ActionRecord]:
        """Every attempt, by stage, attempt and action (a virtual clock may start many at the same time)."""
        with self.database.snapshot() as reader:
            return sorted(reader.actions(execution_id), key=lambda a: (a.stage, a.attempt, a.action))

    def statuses(self, execution_id: str) -> list[tuple[str, int, str]]:
        """(`<stage>/<action>`, attempt, status) of every attempt, in the same order."""
        return [(f"{a.stage}/{a.action}", a.attempt, a.status.value) for a in self.actions(execution_id)]

    def running(self, execution_id: str) -> list[ActionRecord]:
        """The attempts in progress."""
        return [action for action in self.actions(execution_id) if action.status is ActionStatus.IN_PROGRESS]

    def events(self, execution_id: str) -> list[str]:
        """The kinds of the execution's events, in order."""
        with self.database.snapshot() as reader:
            return [event.kind for event in reader.events(execution_id)]
