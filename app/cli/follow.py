"""Following an execution to its end: what to show is a view's, what to do on Ctrl-C and broken connections is here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from app.cli import daemon, printer, progress, text
from app.cli.client import Client, NotUp, part
from app.settings import Settings
from core.errors import PenstockError, Unavailable

Document = dict[str, Any]
Open = Callable[[Client], AbstractContextManager[Iterator[Document]]]
SECOND_CTRL_C_S = 2.0
LAST_LINES = 15


class View(Protocol):
    """What shows an execution while it goes on."""

    def item(self, item: Document) -> None:
        """Show one line of the follow stream."""
        ...

    def close(self) -> None:
        """Nothing more will be shown, for now."""
        ...

    def end(self, tree: Document) -> None:
        """Show how it ended."""
        ...


class Plain:
    """One line per piece of news."""

    def __init__(self) -> None:
        self._tree: Document | None = None

    def item(self, item: Document) -> None:
        """See `View`."""
        if item["type"] == "execution":
            for line in progress.lines(self._tree, item["execution"]):
                printer.line(line)
            self._tree = item["execution"]
        elif item["type"] == "event" and item["event"]["kind"] in progress.TOLD_EVENTS:
            printer.line(f"  {text.clean(item['event']['sentence'])}")

    def close(self) -> None:
        """See `View`."""

    def end(self, tree: Document) -> None:
        """See `View`."""
        show_end(tree)


class Json:
    """Nothing until the end, then the whole tree."""

    def item(self, item: Document) -> None:
        """See `View`."""

    def close(self) -> None:
        """See `View`."""

    def end(self, tree: Document) -> None:
        """See `View`."""
        printer.document(tree)


def view(*, as_json: bool, terminal: bool) -> View:
    """The view that fits what stdout is."""
    if as_json:
        return Json()
    if terminal:
        from app.cli.live import Live

        return Live()
    return Plain()


def show_end(tree: Document) -> None:
    """The last lines of what failed, and the outcome."""
    for place, log in progress.failed_logs(tree):
        lines = daemon.tail(Path(log), LAST_LINES)
        if lines:
            printer.line(f"last lines of {place}:")
        for line in lines:
            printer.line(f"  {line}")
    printer.line(progress.outcome(tree))
    if tree["status"] == "Failed":
        printer.note(f"ask `penstock why {text.short(tree)}`, see `penstock logs {text.short(tree)}`")


def to_the_end(here: Settings, shown: View, begin: Open) -> int:
    """0 when the execution that `begin` opens the stream of ends Succeeded, 1 when otherwise, 130 after Ctrl-C."""
    following = Following(here, shown)
    opened = begin
    while True:
        try:
            return following.read(opened)
        except KeyboardInterrupt:
            shown.close()
            if not following.stop_wanted():
                return 130
        opened = following.reopen


class Following:
    """One execution being followed; `tree` is what was last seen of it."""

    def __init__(self, here: Settings, shown: View) -> None:
        self._here = here
        self._view = shown
        self._stopping = False
        self._after = 0
        self.tree: Document | None = None

    def read(self, begin: Open) -> int:
        """Show the stream to its end, going on with it when the engine is restarted; the exit code."""
        try:
            self._show(daemon.with_engine, begin)
        except Unavailable:
            if self.tree is None:
                raise
        else:
            return self._ended()
        while True:
            try:
                self._show(daemon.with_engine_again, self.reopen)
            except NotUp:
                assert self.tree is not None
                what = f"the servers have stopped, {text.name(self.tree)} goes on when they are up"
                raise Unavailable(what, hint="start them with `penstock up`") from None
            except Unavailable:
                continue
            return self._ended()

    def reopen(self, client: Client) -> AbstractContextManager[Iterator[Document]]:
        """The stream of the execution that was followed before."""
        assert self.tree is not None
        return client.stream("GET", f"/v1/executions/{part(self.tree['id'])}/follow?after={self._after}")

    def stop_wanted(self) -> bool:
        """After Ctrl-C: whether a second one came and the execution is being stopped."""
        if self.tree is None or self._stopping:
            return False
        ref = text.short(self.tree)
        try:  # the second one may come while the words that ask for it are being printed
            printer.note(f"\n{text.name(self.tree)} goes on without you: `penstock logs -f {ref}` follows it again,")
            printer.note(f"`penstock stop {ref}` stops it; press Ctrl-C once more to stop it now")
            time.sleep(SECOND_CTRL_C_S)
        except KeyboardInterrupt:
            self._stopping = True
            printer.note(f"stopping {text.name(self.tree)}; running actions may end by themselves")
            try:
                daemon.engine(self._here).post(
                    f"/v1/executions/{part(self.tree['id'])}/stop", {"reason": "stopped with Ctrl-C"}
                )
            except PenstockError as problem:
                printer.error(problem)
        return self._stopping

    def _ended(self) -> int:
        self._view.close()
        assert self.tree is not None
        self._view.end(self.tree)
        return 0 if self.tree["status"] == "Succeeded" else 1

    def _show(self, with_engine: Callable[[Settings, Callable[[Client], None]], None], opened: Open) -> None:
        def show(client: Client) -> None:
            with opened(client) as stream:
                for item in stream:
                    if item["type"] == "execution":
                        self.tree = item["execution"]
                    elif item["type"] == "event":
                        self._after = item["event"]["seq"]
                    elif item["type"] == "idle":
                        daemon.warn_of_failing(self._here)
                    elif item["type"] == "end":
                        return
                    self._view.item(item)
            raise Unavailable("the engine stopped answering", hint="see logs/engine.log")

        with_engine(self._here, show)
