"""Why an execution is as it is: the ledger's decisions that led to its result, as plain sentences.

A story keeps only what decided something. The sentence of an event is the one its writer put into `why`; where a
writer said nothing, the kind and subject are read out.
"""

from __future__ import annotations

import re

from core.units import duration
from pipelines.service import lookup
from pipelines.service.ports import Ports
from pipelines.service.views import Decision, Story
from store.records import ActionRecord, ActionStatus, Event, ExecutionRecord, ExecutionStatus
from store.transaction import Snapshot

PAGE = 500

# Kinds that report routine, not decisions; they are left out of a story unless nothing else is there to tell.
ROUTINE = frozenset(
    {
        "StageEntered",
        "StageArrived",
        "StageSucceeded",
        "ActionStarted",
        "ActionSucceeded",
        "ActionProgressed",
        "LifecycleEventStarted",
        "LifecycleEventSucceeded",
        "VersionPublished",
        "CodeUpdated",
        "DeploymentCreated",
    }
)

# Kinds whose writer says all of it in `why`, the alias and what happened to it.
COMPLETE = frozenset(
    {
        "AlarmEvaluated",
        "AlarmFired",
        "DeploymentSucceeded",
        "RollbackStarted",
        "RolledBack",
        "TrafficShifted",
        "VersionPublished",
    }
)

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def story(ports: Ports, ref: str | None) -> Story:
    """The story of the execution `ref` names.

    Raises:
        NotFound: no such execution.
    """
    with ports.database.snapshot() as snapshot:
        execution = lookup.execution(snapshot, ref)
        actions = snapshot.actions(execution.id)
        events = _all_events(snapshot, execution.id)
    telling = [event for event in events if event.kind not in ROUTINE] or events
    return Story(execution, headline(execution, actions), tuple(_decision(event) for event in telling))


def headline(execution: ExecutionRecord, actions: list[ActionRecord]) -> str:
    """One sentence: which execution, how it is, since when, and where it broke or waits."""
    name = f"Execution {execution.number} of {execution.pipeline}"
    if execution.ended_at is not None:
        name += f" ended {execution.status.value} after {_took(execution)}"
    else:
        name += f" is {execution.status.value}"
    if execution.status is ExecutionStatus.FAILED:
        broken = [action for action in actions if action.status is ActionStatus.FAILED]
        if broken:
            last = max(broken, key=lambda action: action.updated_at)
            message = last.error_message or last.summary or last.error_code or "it gave no reason"
            return f"{name}, because action {last.stage}/{last.action} failed: {message}"
    if execution.status_summary:
        return f"{name}: {execution.status_summary}"
    return name


def _took(execution: ExecutionRecord) -> str:
    end = execution.ended_at or execution.updated_at
    return duration((end - execution.started_at).total_seconds())


def _all_events(snapshot: Snapshot, execution_id: str) -> list[Event]:
    found: list[Event] = []
    while page := snapshot.events(execution_id, after=found[-1].seq if found else 0, limit=PAGE):
        found.extend(page)
    return found


def _decision(event: Event) -> Decision:
    return Decision(event.at, event.seq, event.kind, event.subject, sentence(event), event.facts)


def sentence(event: Event) -> str:
    """`event` in one plain sentence: `Stage failed (Build): action Lint failed`."""
    if event.kind in COMPLETE and event.why:
        return f"{event.why[:1].upper()}{event.why[1:]}" if event.why.startswith("alarm ") else event.why
    words = _WORDS.sub(" ", event.kind).lower()
    text = f"{words[:1].upper()}{words[1:]}"
    if event.subject:
        text += f" ({event.subject})"
    return f"{text}: {event.why}" if event.why else text
