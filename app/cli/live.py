"""The live view of an execution on a terminal: stages and actions with glyph, elapsed time and release weight."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live as Screen
from rich.text import Text

from app.cli import follow, progress, text

Document = dict[str, Any]
STYLES = {
    "Succeeded": "green",
    "Failed": "red",
    "InProgress": "cyan",
    "Stopping": "yellow",
    "Stopped": "yellow",
    "Abandoned": "yellow",
}
LAST_EVENTS = 4


class Live:
    """Redraws the tree ten times a second; the present of a redraw is its own."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()
        self._tree: Document | None = None
        self._events: list[str] = []
        self._screen: Screen | None = None

    def item(self, item: Document) -> None:
        """See `follow.View`."""
        if item["type"] == "event" and item["event"]["kind"] in progress.TOLD_EVENTS:
            self._events = [*self._events, item["event"]["sentence"]][-LAST_EVENTS:]
        elif item["type"] == "execution":
            self._tree = item["execution"]
        if self._screen is None and self._tree is not None:
            self._screen = Screen(self, console=self._console, refresh_per_second=10)
            self._screen.start()

    def close(self) -> None:
        """See `follow.View`."""
        if self._screen is not None:
            self._screen.stop()
            self._screen = None

    def end(self, tree: Document) -> None:
        """See `follow.View`."""
        follow.show_end(tree)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines to draw now."""
        if self._tree is not None:
            for line in drawn(self._tree, self._events):
                line.no_wrap = True
                line.overflow = "ellipsis"
                yield line


def drawn(tree: Document, events: list[str]) -> Iterator[Text]:
    """The tree as styled lines, then the newest events."""
    at = text.now()
    yield Text.assemble((text.name(tree), "bold"), f"  {tree['status']}  {text.took(tree, at)}  ", (tree["id"], "dim"))
    for stage in tree["stages"]:
        status = text.stage_status(stage)
        time = text.took(stage, at) if stage["enteredAt"] else ""
        words = status if status in ("waiting to enter", "Failed", "Stopped") else ""
        yield _line("", stage["status"], stage["name"], f"{time} {words}".strip())
        if stage["status"] is None:
            continue
        for action in stage["actions"]:
            latest = action["latest"]
            yield _line(
                "  ", action["status"], action["name"], f"{text.took(latest, at)} {_note(latest)}" if latest else ""
            )
            for item in action["deployments"]:
                yield Text(f"      {text.release(item)}")
    for event in events:
        yield Text(f"  {text.clean(event)}", style="dim")


def _line(indent: str, status: str | None, name: str, rest: str) -> Text:
    glyph = text.GLYPHS.get(status, "·")
    style = STYLES.get(status or "", "dim")
    return Text.assemble(f"{indent}", (glyph, style), f" {name}", (f"  {rest}" if rest else "", "dim"))


def _note(latest: Document) -> str:
    if latest["token"] and latest["status"] == "InProgress":
        return "waits for you: penstock approve, or penstock reject (in another terminal)"
    if latest["error"]:
        return f"{latest['error']['code']}: {text.clean(latest['error']['message'])}"
    percent = f"{latest['percentComplete']} % " if latest["percentComplete"] is not None else ""
    return f"{percent}{text.clean(latest['summary'])}"
