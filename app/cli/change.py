"""Commands that change an execution or a release: approve, reject, stop, retry, rollback, plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import daemon, printer, session, text
from app.cli.client import part
from app.cli.look import AsJson, Ref
from app.cli.run import read_file, user, variables

Message = Annotated[str, typer.Option("--message", "-m", help="Why; kept with the answer (512 characters).")]
Token = Annotated[str, typer.Option("--token", help="The token of the approval.")]
Stage = Annotated[str, typer.Option("--stage", help="The stage of the approval.")]
Action = Annotated[str, typer.Option("--action", help="The action that waits.")]
OptionalRef = Annotated[
    str, typer.Argument(metavar="[EXECUTION]", help="Id, prefix or number.", show_default="the only one that waits")
]


def approve(
    execution: OptionalRef = "",
    message: Message = "",
    token: Token = "",
    stage: Stage = "",
    action: Action = "",
    json: AsJson = False,
) -> None:
    """Approve what waits for an answer.

    Example: penstock approve -m "looks good"
    """
    _answer("Approved", execution, message, token, stage, action, as_json=json)


def reject(
    execution: OptionalRef = "",
    message: Message = "",
    token: Token = "",
    stage: Stage = "",
    action: Action = "",
    json: AsJson = False,
) -> None:
    """Reject what waits for an answer; its stage fails.

    Example: penstock reject -m "not on a Friday"
    """
    _answer("Rejected", execution, message, token, stage, action, as_json=json)


def _answer(status: str, execution: str, message: str, token: str, stage: str, action: str, *, as_json: bool) -> None:
    body = {
        "status": status,
        "summary": message,
        "answeredBy": user(),
        "token": token,
        "execution": execution,
        "stage": stage,
        "action": action,
    }
    found = daemon.with_engine(session.settings(), lambda client: client.post("/v1/approvals", body))
    if as_json:
        printer.document(found["action"])
    else:
        printer.line(f"{found['action']['stage']}/{found['action']['action']} {status}")


def stop(
    execution: Ref = session.LATEST,
    abandon: Annotated[bool, typer.Option("--abandon", help="Do not wait for running actions.")] = False,
    reason: Annotated[str, typer.Option("--reason", "-m", help="Why (200 characters).")] = "",
    json: AsJson = False,
) -> None:
    """Stop an execution: running actions end by themselves, nothing else begins.

    Example: penstock stop 3 --abandon
    """
    body = {"abandon": abandon, "reason": reason}
    found = daemon.with_engine(
        session.settings(), lambda client: client.post(f"/v1/executions/{part(execution)}/stop", body)
    )
    _print_execution(found["execution"], as_json=json)


def retry(
    execution: Ref = session.LATEST,
    stage: Annotated[str | None, typer.Option("--stage", help="The stage; by default the one that broke.")] = None,
    all_actions: Annotated[bool, typer.Option("--all", help="All its actions, not only the failed ones.")] = False,
    json: AsJson = False,
) -> None:
    """Run the failed stage of an execution again.

    Example: penstock retry 3
    """
    body = {"stage": stage, "mode": "ALL_ACTIONS" if all_actions else "FAILED_ACTIONS"}
    found = daemon.with_engine(
        session.settings(), lambda client: client.post(f"/v1/executions/{part(execution)}/retry", body)
    )
    _print_execution(found["execution"], as_json=json)


def rollback(
    function: Annotated[str, typer.Argument(metavar="[FUNCTION[:ALIAS]]", help="What to roll back.")] = "",
    deployment: Annotated[str, typer.Option("--deployment", help="The release to undo, by its id.")] = "",
    target: Annotated[str, typer.Option("--target", help="Only releases to this target.")] = "",
    to: Annotated[str, typer.Option("--to", help="The version to go to; by default the one before.")] = "",
    reason: Annotated[str, typer.Option("--reason", "-m", help="Why; kept in the ledger.")] = "",
    json: AsJson = False,
) -> None:
    """Put a function's alias back to the version it had before its newest release.

    Example: penstock rollback orders:live -m "customers complain"
    """
    name, _, alias = function.partition(":")
    body = {
        "deployment": deployment,
        "function": name,
        "alias": alias,
        "target": target,
        "toVersion": to,
        "by": user(),
        "reason": reason,
    }
    found = daemon.with_engine(session.settings(), lambda client: client.post("/v1/rollbacks", body))["deployment"]
    if json:
        printer.document(found)
    else:
        printer.line(f"{found['id']}: {text.release(found)}")


def plan(
    file: Annotated[Path | None, typer.Option("--file", "-f", help="The pipeline file.", show_default=False)] = None,
    var: Annotated[list[str] | None, typer.Option("--var", "-v", help="A pipeline variable, NAME=VALUE.")] = None,
    action: Annotated[str, typer.Option("--action", help="Only this release action.")] = "",
    json: AsJson = False,
) -> None:
    """What releasing the newest package would do now; changes nothing.

    Example: penstock plan
    """
    here = session.settings(file)
    body: dict[str, Any] = {
        "fileText": read_file(here.pipeline_file),
        "file": str(here.pipeline_file),
        "variables": variables(var or []),
        "action": action,
    }
    found = daemon.with_engine(here, lambda client: client.post("/v1/plans", body))
    if json:
        printer.document(found)
        return
    for item in found["plans"]:
        printer.line(f"{item['stage']}/{item['action']}, package {item['sha256'][:12]}")
        printer.lines(f"  {line}" for line in item["lines"])


def _print_execution(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        printer.document(found)
    else:
        printer.line(f"{text.name(found)} {found['status']}")
