"""What happened between two looks at an execution, as lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.cli import text
from core.units import duration, parse_iso

Document = Mapping[str, Any]

# Ledger events worth a line while following; stages and actions are told from the tree.
TOLD_EVENTS = frozenset(
    {
        "ReleaseSkipped",
        "VersionPublished",
        "TrafficShifted",
        "AlarmFired",
        "RollbackStarted",
        "RolledBack",
        "DriftDetected",
        "LifecycleEventFailed",
        "StageRetried",
        "StopRequested",
        "ApprovalAnswered",
    }
)


def lines(before: Document | None, after: Document) -> Iterator[str]:
    """The news in `after`, oldest first; `before` None is the beginning."""
    if before is None:
        yield f"{text.name(after)} started  {after['id']}"
    old = _actions(before) if before else {}
    was = {stage["name"]: text.stage_status(stage) for stage in before["stages"]} if before else {}
    for stage in after["stages"]:
        if text.stage_status(stage) == "waiting to enter" != was.get(stage["name"]):
            yield f"{stage['name']} waits: another execution is in this stage"
        for action in stage["actions"]:
            yield from _action(stage["name"], action, old.get((stage["name"], action["name"])))


def _actions(tree: Document) -> dict[tuple[str, str], Document]:
    return {(stage["name"], action["name"]): action for stage in tree["stages"] for action in stage["actions"]}


def _action(stage: str, action: Document, before: Document | None) -> Iterator[str]:
    latest = action["latest"]
    if latest is None:
        return
    place = f"{stage}/{action['name']}"
    same = before is not None and before["latest"] is not None and before["latest"]["id"] == latest["id"]
    if latest["status"] == "InProgress" and not same:
        again = f", attempt {latest['attempt']}" if latest["attempt"] > 1 else ""
        yield f"{place} started{again}"
        if latest["token"]:
            yield f"{place} waits for an answer until {latest['expiresAt']}: penstock approve, or penstock reject"
    if latest["status"] != "InProgress" and not (same and before and before["status"] == latest["status"]):
        yield f"{place} {ended(latest)}"


def ended(attempt: Document) -> str:
    """`Succeeded in 0.2 s: 3 files` or `Failed in 1.0 s: BuildFailed: …`."""
    end = parse_iso(attempt["endedAt"] or attempt["updatedAt"])
    seconds = max(0.0, (end - parse_iso(attempt["startedAt"])).total_seconds())
    line = f"{attempt['status']} in {duration(seconds)}"
    if attempt["error"]:
        return f"{line}: {attempt['error']['code']}: {text.clean(attempt['error']['message'])}"
    return f"{line}: {text.clean(attempt['summary'])}" if attempt["summary"] else line


def outcome(tree: Document) -> str:
    """The last line: `orders #3 Succeeded in 12 s`."""
    summary = f": {text.clean(tree['statusSummary'])}" if tree["statusSummary"] else ""
    return f"{text.name(tree)} {tree['status']} in {text.took(tree, text.now())}{summary}"


def failed_logs(tree: Document) -> list[tuple[str, str]]:
    """The place and log path of each action whose newest attempt failed."""
    return [
        (f"{stage['name']}/{action['name']}", action["log"])
        for stage in tree["stages"]
        for action in stage["actions"]
        if action["status"] == "Failed" and action["log"]
    ]
