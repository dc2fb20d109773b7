"""Following one execution: an NDJSON stream of the tree when it changed, ledger events and log lines as they come.

Each line is an object with `type`: `execution` (the whole tree), `event`, `log`, and at last `end`. A line with only
`{"type":"idle"}` says that the connection lives.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool

from app import documents
from app.api.watch import Watch
from pipelines.engine.machine import LIVE_EXECUTION
from pipelines.service import ExecutionView, Service
from store.records import ActionRecord, Event

LOG_INTERVAL_S = 0.02
IDLE_S = 5.0
PIECE_BYTES = 262_144


@dataclass(slots=True)
class Tail:
    """How far one log file has been sent."""

    path: Path
    labels: dict[str, Any]
    offset: int = 0
    rest: bytes = b""

    def lines(self, *, last: bool) -> list[str]:
        """The whole lines written since the last call; an unfinished one only when it is the `last` call."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                data = file.read(PIECE_BYTES)
        except OSError:
            return []
        self.offset += len(data)
        *whole, self.rest = (self.rest + data).split(b"\n")
        if last and len(data) < PIECE_BYTES and self.rest:
            whole.append(self.rest)
            self.rest = b""
        return [line.decode("utf-8", "replace") for line in whole]


@dataclass(slots=True)
class Follower:
    """What one stream has sent already. `after` is the ledger's sequence number it has seen."""

    service: Service
    execution_id: str
    with_logs: bool
    after: int = 0
    shown: dict[str, Any] | None = None
    tails: dict[str, Tail] = field(default_factory=dict)
    ended: bool = False

    def news(self) -> list[dict[str, Any]]:
        """What has happened since the last call, in the order in which it is told: events, then the tree."""
        view = self.service.show(self.execution_id)
        found = [{"type": "event", "event": documents.event(item)} for item in self._events()]
        tree = documents.tree(view)
        if tree != self.shown:
            self.shown = tree
            found.append({"type": "execution", "execution": tree})
        if self.with_logs:
            self._find_tails(view)
        self.ended = view.execution.status not in LIVE_EXECUTION
        return found

    def log_lines(self) -> list[dict[str, Any]]:
        """The log lines written since the last call."""
        return [
            {"type": "log", **tail.labels, "line": line}
            for tail in self.tails.values()
            for line in tail.lines(last=self.ended)
        ]

    def _events(self) -> list[Event]:
        found: list[Event] = []
        while page := self.service.events(self.execution_id, after=self.after):
            found += page
            self.after = page[-1].seq
        return found

    def _find_tails(self, view: ExecutionView) -> None:
        records: list[ActionRecord] = [
            record for stage in view.stages for action in stage.actions for record in action.attempts
        ]
        paths = {item.id: self.service.log_path(item) for item in records}
        for item in sorted(records, key=lambda record: record.started_at):
            labels = {"stage": item.stage, "action": item.action, "attempt": item.attempt}
            self.tails.setdefault(item.id, Tail(paths[item.id], labels))


async def stream(follower: Follower, watch: Watch) -> AsyncIterator[bytes]:
    """The stream's lines until the execution has ended."""
    async with watch.following() as changed:
        while not follower.ended:
            said = await _wait(changed, follower)
            if changed.is_set():
                changed.clear()
                said += await run_in_threadpool(follower.news)
                said += follower.log_lines()
            elif not said:
                said = [{"type": "idle"}]
            if said:
                yield _lines(said)
    while rest := follower.log_lines():
        yield _lines(rest)
    assert follower.shown is not None
    yield _lines([{"type": "end", "status": follower.shown["status"]}])


async def _wait(changed: asyncio.Event, follower: Follower) -> list[dict[str, Any]]:
    """Log lines that came while nothing else changed; empty after a change or a while of silence."""
    loop = asyncio.get_running_loop()
    until = loop.time() + IDLE_S
    while not changed.is_set() and loop.time() < until:
        try:
            await asyncio.wait_for(changed.wait(), LOG_INTERVAL_S if follower.with_logs else IDLE_S)
        except TimeoutError:
            lines = follower.log_lines()
            if lines:
                return lines
    return []


def _lines(items: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(item, separators=(",", ":")).encode() + b"\n" for item in items)
