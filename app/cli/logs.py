"""`penstock logs`: what the actions of an execution printed, or what functions logged; once or as it comes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import daemon, printer, progress, session
from app.cli.client import part
from app.cli.look import Ref
from app.settings import Settings
from core.errors import NotFound, Unavailable

Document = dict[str, Any]


def logs(
    execution: Ref = session.LATEST,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the execution ends.")] = False,
    stage: Annotated[str | None, typer.Option("--stage", help="Only this stage's actions.")] = None,
    action: Annotated[str | None, typer.Option("--action", help="Only the actions of this name.")] = None,
    name: Annotated[
        list[str] | None, typer.Option("--name", "-n", metavar="FUNCTION", help="The log of this function instead.")
    ] = None,
    tail: Annotated[bool, typer.Option("--tail", "-t", help="Functions' logs as they come, until Ctrl-C.")] = False,
    filter_: Annotated[str, typer.Option("--filter", help="Only events of functions that match this pattern.")] = "",
    start_time: Annotated[
        str, typer.Option("--start-time", "-s", help="Functions' logs from then on.")
    ] = "10 minutes ago",
    end_time: Annotated[str | None, typer.Option("--end-time", "-e", help="Functions' logs until then.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
) -> int:
    """What the actions of an execution printed; with --name or --tail, what functions of the local runtime logged.

    Example: penstock logs --follow --action Package, or: penstock logs --name orders --tail
    """
    if name or tail:
        from app.cli.function_logs import show

        return show(name or [], filter_, start_time, end_time, tail=tail, as_json=json)
    here = session.settings()
    tree = session.ask(here, lambda reader: reader.show(execution))
    _check(tree, stage, action)
    if follow and tree["status"] in ("InProgress", "Stopping"):
        return _follow(here, tree, stage, action, as_json=json)
    for item in kept(tree, here.log_directory):
        if _wanted(item, stage, action):
            _print(item, as_json=json)
    return 0


def kept(tree: Document, directory: Path) -> Iterator[Document]:
    """Every line in the logs of every attempt, action by action in the definition's order."""
    for stage in tree["stages"]:
        for action in stage["actions"]:
            for attempt in range(1, (action["latest"]["attempt"] if action["latest"] else 0) + 1):
                path = directory / tree["id"] / f"{stage['name']}.{action['name']}.{attempt}.log"
                labels = {"stage": stage["name"], "action": action["name"], "attempt": attempt}
                try:
                    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
                        for line in file:
                            yield {**labels, "line": line.rstrip("\n")}
                except FileNotFoundError:
                    continue


def _follow(here: Settings, tree: Document, stage: str | None, action: str | None, *, as_json: bool) -> int:
    last = tree
    with daemon.engine(here).stream("GET", f"/v1/executions/{part(tree['id'])}/follow?logs=1") as stream:
        for item in stream:
            if item["type"] == "log" and _wanted(item, stage, action):
                _print({key: value for key, value in item.items() if key != "type"}, as_json=as_json)
            elif item["type"] == "execution":
                last = item["execution"]
            elif item["type"] == "end":
                break
        else:
            raise Unavailable("the engine stopped answering", hint="ask for the logs again")
    if not as_json:
        printer.note(progress.outcome(last))
    return 0 if last["status"] == "Succeeded" else 1


def _check(tree: Document, stage: str | None, action: str | None) -> None:
    """Refuse names that are not in the pipeline: an empty answer would look like an empty log."""
    stages = [item["name"] for item in tree["stages"]]
    if stage is not None and stage not in stages:
        raise NotFound(f"there is no stage {stage!r}", hint="stages are " + ", ".join(stages))
    actions = [item["name"] for found in tree["stages"] if stage in (None, found["name"]) for item in found["actions"]]
    if action is not None and action not in actions:
        raise NotFound(f"there is no action {action!r}", hint="actions are " + ", ".join(actions))


def _wanted(item: Document, stage: str | None, action: str | None) -> bool:
    return stage in (None, item["stage"]) and action in (None, item["action"])


def _print(item: Document, *, as_json: bool) -> None:
    if as_json:
        printer.json_line(item)
    else:
        attempt = f" ({item['attempt']})" if item["attempt"] > 1 else ""
        printer.line(f"{item['stage']}/{item['action']}{attempt} | {item['line']}")
