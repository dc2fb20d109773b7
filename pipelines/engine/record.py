"""Writing down how an attempt goes and ends: progress, artifacts into the store, outcome, source revision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from core.outcome import Abandoned, Failed, Outcome, Succeeded
from core.secrets import Redactor
from pipelines.definition.model import ActionDefinition
from pipelines.engine import apply_actions
from pipelines.engine.holding import Holding
from store.artifacts import ArtifactStore
from store.database import Database
from store.records import ActionRecord, ActionStatus, ArtifactRef, NewEvent
from store.transaction import Transaction

OUTPUT_MISSING = "OutputArtifactMissing"
VARIABLES_TOO_LARGE = "OutputVariablesSizeExceeded"
MOST_VARIABLE_BYTES = 122_880  # Source: CodePipeline, all output variables of one action together
REVISION_VARIABLE = "CommitId"
SOURCE = "Source"


@dataclass(frozen=True, slots=True)
class Kept:
    """An outcome whose artifacts are in the store."""

    outcome: Outcome
    artifacts: tuple[ArtifactRef, ...]


class Reporter:
    """Publishes what a running attempt says about itself: `percent_complete=`, `summary=`, `external_id=`, `event=`."""

    def __init__(self, database: Database, holding: Holding, action_id: str, redactor: Redactor) -> None:
        self._database = database
        self._holding = holding
        self._action_id = action_id
        self._redactor = redactor

    def __call__(
        self,
        *,
        percent_complete: int | None = None,
        summary: str | None = None,
        external_id: str | None = None,
        event: NewEvent | None = None,
    ) -> None:
        """Write what is given, at once. Raises: LeaseLost."""
        changes: dict[str, Any] = {"percent_complete": percent_complete, "external_id": external_id}
        changes["summary"] = None if summary is None else self._redactor.redact(summary)
        changes = {name: value for name, value in changes.items() if value is not None}
        with self._database.transaction(lease=self._holding.lease) as tx:
            record = tx.action(self._action_id)
            if changes and record.status is ActionStatus.IN_PROGRESS:
                tx.update_action(record, **changes)
            if event is not None:
                tx.append(event)


def resumed(tx: Transaction, record: ActionRecord) -> None:
    """Tell that a new driver begins the attempt again."""
    why = "the runner that worked on it is gone"
    tx.append(apply_actions.event_of(record, "ActionResumed", why, {"start": record.starts}))


def keep_artifacts(store: ArtifactStore, action: ActionDefinition, outcome: Outcome) -> Kept:
    """The outcome with its artifacts stored; a success without a declared artifact is none.

    Artifacts that were not declared are not kept. An artifact is a directory, or one file.
    """
    if isinstance(outcome, Abandoned):
        return Kept(outcome, ())
    missing = [name for name in action.output_artifacts if name not in outcome.artifacts]
    if missing and isinstance(outcome, Succeeded):
        problem = f"it ended well but did not make the output artifact {', '.join(missing)}"
        return Kept(Failed(OUTPUT_MISSING, problem, outcome.variables, {}, outcome.external_id), ())
    size = sum(len(key.encode()) + len(value.encode()) for key, value in outcome.variables.items())
    if size > MOST_VARIABLE_BYTES:
        problem = f"its output variables are {size} bytes, {MOST_VARIABLE_BYTES} at most"
        return Kept(Failed(VARIABLES_TOO_LARGE, problem, {}, {}, outcome.external_id), ())
    kept = [
        store.put_directory(name, path) if path.is_dir() else store.put_file(name, path)
        for name, path in outcome.artifacts.items()
        if name in action.output_artifacts
    ]
    return Kept(outcome, tuple(kept))


def outcome(
    tx: Transaction, action_id: str, action: ActionDefinition, kept: Kept, redactor: Redactor, now: datetime
) -> ActionStatus:
    """The status recorded for the attempt; nothing is written when it was given up before."""
    record = tx.action(action_id)
    if record.status is not ActionStatus.IN_PROGRESS:
        return record.status
    match kept.outcome:
        case Succeeded() as good:
            changes = _made(kept, good.variables, good.external_id or record.external_id)
            changes["summary"] = redactor.redact(good.summary or record.summary)
            ended, event = apply_actions.finish(
                tx, record, ActionStatus.SUCCEEDED, "the provider says so", now, **changes
            )
            _remember_revision(tx, record, action, good)
        case Failed() as bad:
            message = redactor.redact(bad.message)
            changes = _made(kept, bad.variables, bad.external_id or record.external_id)
            changes |= {"error_code": bad.code, "error_message": message}
            ended, event = apply_actions.finish(tx, record, ActionStatus.FAILED, message or bad.code, now, **changes)
        case Abandoned() as left:
            message = redactor.redact(left.message)
            ended, event = apply_actions.finish(tx, record, ActionStatus.ABANDONED, message, now, error_message=message)
        case _:
            assert_never(kept.outcome)
    tx.append(event)
    return ended.status


def _made(kept: Kept, variables: Mapping[str, str], external_id: str) -> dict[str, Any]:
    return {"output_artifacts": kept.artifacts, "output_variables": dict(variables), "external_id": external_id}


def _remember_revision(tx: Transaction, record: ActionRecord, action: ActionDefinition, good: Succeeded) -> None:
    """The execution shows which revision each source action took."""
    revision = good.variables.get(REVISION_VARIABLE) or good.external_id
    if action.category != SOURCE or not revision:
        return
    execution = tx.execution(record.execution_id)
    tx.update_execution(execution, source_revisions={**execution.source_revisions, action.name: revision})
