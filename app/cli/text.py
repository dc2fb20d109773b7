"""Documents as lines of text. Pure: the present is an argument."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from core.units import duration, parse_iso, size

Document = Mapping[str, Any]

COLOURS = {
    "Succeeded": "32",
    "Approved": "32",
    "Failed": "31",
    "Rejected": "31",
    "InProgress": "36",
    "Stopping": "33",
    "Stopped": "33",
    "Superseded": "90",
    "Cancelled": "90",
    "Abandoned": "33",
}
_FOR_JSON = ("summary", "error_message", "message", "deployment", "target", "function", "alias")
GLYPHS = {
    "Succeeded": "✓",
    "Failed": "✗",
    "InProgress": "●",
    "Stopping": "◐",
    "Stopped": "■",
    "Abandoned": "■",
    "Superseded": "↷",
    "Cancelled": "■",
    "Skipped": "↷",
    None: "·",
}


def now() -> datetime:
    """The present."""
    return datetime.now(UTC)


def clean(text: str) -> str:
    """`text` on one line and without characters that would steer the terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def name(execution: Document) -> str:
    """`orders #3`."""
    return f"{execution['pipeline']} #{execution['number']}"


def short(execution: Document) -> str:
    """The first 8 characters of the id: enough to name it."""
    return str(execution["id"])[:8]


def took(item: Document, at: datetime) -> str:
    """How long it took, or takes already."""
    begin = item.get("startedAt") or item.get("enteredAt") or item.get("arrivedAt")
    if not begin:
        return ""
    end = parse_iso(item["endedAt"]) if item.get("endedAt") else at
    return duration(max(0.0, (end - parse_iso(begin)).total_seconds()))


def ago(text: str, at: datetime) -> str:
    """How long ago a time was."""
    return f"{duration(max(0.0, (at - parse_iso(text)).total_seconds()))} ago"


def release(deployment: Document) -> str:
    """`orders:live 10 % on version 2 (was 1), InProgress`."""
    place = f"{deployment['function']}:{deployment['alias']}"
    if not deployment["newVersion"]:
        return f"{place} {deployment['status']}"
    before = f" (was {deployment['oldVersion']})" if deployment["oldVersion"] else ""
    return (
        f"{place} {deployment['weightPct']:g} % on version {deployment['newVersion']}{before}, {deployment['status']}"
    )


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows with their columns aligned; the first row is the heading."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def executions(items: Sequence[Document], at: datetime) -> list[str]:
    """One line per execution."""
    if not items:
        return ["no executions yet"]
    rows = [("PIPELINE", "ID", "STATUS", "STARTED", "TOOK", "TRIGGER")]
    for item in items:
        trigger = item["trigger"]
        why = trigger["triggerType"] + (f": {trigger['triggerDetail']}" if trigger["triggerDetail"] else "")
        rows.append(
            (name(item), short(item), item["status"], ago(item["startedAt"], at), took(item, at), clean(why)[:60])
        )
    return table(rows)


def show(tree: Document, at: datetime) -> list[str]:
    """One execution with all there is to know."""
    trigger = tree["trigger"]
    lines = [
        f"{name(tree)}  {tree['status']}  {took(tree, at)}",
        f"  id        {tree['id']}",
        f"  trigger   {trigger['triggerType']}: {clean(trigger['triggerDetail'])}",
        f"  started   {tree['startedAt']}",
    ]
    if tree["statusSummary"]:
        lines.append(f"  summary   {clean(tree['statusSummary'])}")
    lines += _mapping("variable", tree["variables"])
    lines += _mapping("source", tree["sourceRevisions"])
    for stage in tree["stages"]:
        lines += _stage(stage, at)
    lines += [f"rolled back by hand: {release(item)}" for item in tree["rollbacksByHand"]]
    return lines


def _mapping(what: str, values: Mapping[str, str]) -> list[str]:
    return [f"  {what:9} {key} = {clean(value)}" for key, value in values.items()]


def _stage(stage: Document, at: datetime) -> list[str]:
    attempt = f", attempt {stage['attempt']}" if stage["attempt"] > 1 else ""
    time = took(stage, at) if stage["enteredAt"] else ""
    lines = [f"{GLYPHS.get(stage['status'], '·')} {stage['name']}  {stage_status(stage)}{attempt}  {time}".rstrip()]
    for action in stage["actions"]:
        lines += _action(action, at)
    return lines


def stage_status(stage: Document) -> str:
    """The stage's status in words, also for one that waits or was not reached."""
    if stage["status"] is None:
        return "not reached"
    if stage["enteredAt"] is None and stage["status"] in ("InProgress", "Stopping"):
        return "waiting to enter"
    return str(stage["status"])


def _action(action: Document, at: datetime) -> list[str]:
    latest = action["latest"]
    status = action["status"] or "not run"
    line = f"  {GLYPHS.get(action['status'], '·')} {action['name']} ({action['provider']})  {status}"
    if latest is None:
        return [line]
    lines = [f"{line}  {took(latest, at)}"]
    if latest["summary"]:
        lines.append(f"      {clean(latest['summary'])}")
    if latest["error"]:
        lines.append(f"      {latest['error']['code']}: {clean(latest['error']['message'])}")
    if latest["token"] and action["status"] == "InProgress":
        lines.append(f"      waits for an answer until {latest['expiresAt']}, token {latest['token']}")
    lines += [f"      release {release(item)}" for item in action["deployments"]]
    for artifact in latest["outputArtifacts"]:
        lines.append(f"      artifact {artifact['name']} {artifact['sha256'][:12]} {size(artifact['sizeBytes'])}")
    lines += [f"      variable {key} = {clean(value)[:200]}" for key, value in latest["outputVariables"].items()]
    return lines


def status(document: Document, at: datetime) -> list[str]:
    """What runs, what waits and for whom, the last results, and the processes."""
    lines: list[str] = []
    for pipeline in document["pipelines"]:
        lines += _pipeline(pipeline, at)
    if not document["pipelines"]:
        lines.append("no pipeline was started here yet")
    return [*lines, *_processes(document["processes"])]


def _pipeline(pipeline: Document, at: datetime) -> list[str]:
    lines = [f"{pipeline['name']}  (version {pipeline['version']}, {pipeline['file']})"]
    for tree in pipeline["running"]:
        lines.append(f"  #{tree['number']} {tree['status']} for {took(tree, at)}  {short(tree)}")
        lines += [f"    {doing}" for doing in _doing(tree, at)]
    for waits in pipeline["approvals"]:
        message = f": {clean(waits['message'])}" if waits["message"] else ""
        place = f"{waits['stage']}/{waits['action']}"
        lines.append(f"  #{waits['number']} {place} waits for you{message}")
        lines.append(
            f"    penstock approve {waits['executionId'][:8]}   or   penstock reject {waits['executionId'][:8]}"
        )
    last = pipeline["last"]
    if last:
        when = ago(last["endedAt"] or last["updatedAt"], at)
        lines.append(f"  last: #{last['number']} {last['status']} {when}, took {took(last, at)}")
    elif not pipeline["running"]:
        lines.append("  nothing has ended yet")
    return lines


def _doing(tree: Document, at: datetime) -> Iterable[str]:
    for stage in tree["stages"]:
        if stage_status(stage) == "waiting to enter":
            yield f"{stage['name']}: waiting to enter"
        for action in stage["actions"]:
            if action["status"] == "InProgress":
                yield f"{stage['name']}/{action['name']} for {took(action['latest'], at)}"
                yield from (f"  {release(item)}" for item in action["deployments"] if item["status"] == "InProgress")


def _processes(processes: Mapping[str, Document]) -> list[str]:
    if not processes:
        return ["processes: none runs; start them with `penstock up`"]
    words = []
    for process, state in processes.items():
        failing = f", ended {state['failures']} times" if state["failures"] > 1 else ""
        words.append(f"{process} {'up' if state['state'] == 'running' else 'down'}{failing}")
    return ["processes: " + "; ".join(words)]


def story(document: Document) -> list[str]:
    """Why an execution is as it is."""
    lines = [clean(document["headline"])]
    for decision in document["decisions"]:
        lines.append(f"  {decision['at'][11:23]}Z  {clean(decision['sentence'])}")
        new = {key: value for key, value in decision["facts"].items() if _adds(key, value, decision["sentence"])}
        lines += [f"                 {fact}" for fact in facts(new)]
    return lines


def _adds(key: str, value: Any, sentence: str) -> bool:
    """Whether a fact says something that the sentence does not; ids and long texts are for `--json`."""
    if key.endswith("_id") or key in _FOR_JSON:
        return False
    return not (isinstance(value, (str, int, float)) and _value(value) in sentence)


def facts(values: Mapping[str, Any]) -> list[str]:
    """The numbers and words a decision was made from, as `name = value` on as few lines as fit."""
    words = [f"{key} = {_value(value)}" for key, value in values.items() if value not in (None, "", [], {})]
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + len(word) < 90:
            lines[-1] += f", {word}"
        else:
            lines.append(word)
    return lines


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return clean(str(value))[:200]
