"""Finding what the user means by an execution: a full id, a unique prefix, a number, or nothing (the latest)."""

from __future__ import annotations

from core.errors import NotFound
from store.records import ExecutionRecord
from store.transaction import Snapshot

LATEST = "latest"


def execution(snapshot: Snapshot, ref: str | None, pipeline: str | None = None) -> ExecutionRecord:
    """The execution `ref` names; None, "" or "latest" is the newest one (of `pipeline`, when given).

    Raises:
        NotFound: no such execution, or none at all yet.
        NotAllowed: the prefix or number fits several.
    """
    if ref and ref != LATEST:
        return snapshot.find_execution(ref, pipeline)
    newest = snapshot.executions(pipeline, limit=1)
    if not newest:
        of = f" of {pipeline}" if pipeline else ""
        raise NotFound(f"there is no execution{of} yet", hint="start one with `penstock run`")
    return newest[0]
