"""`penstock logs --name/--tail`: what functions of the local runtime logged. Flags and times as `sam logs` has them."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

from app import announce
from app.cli import daemon, printer, session
from app.function_logs import FunctionLogs, LogEvent, Wanted
from core.document import suggest
from core.errors import InvalidInput, NotFound

_LOOK_EVERY_S = 0.25
_AGO = re.compile(r"(\d+)\s*([a-z]+?)s?(?:\s+ago)?")
_UNITS = {
    "s": "seconds", "sec": "seconds", "second": "seconds",
    "m": "minutes", "min": "minutes", "minute": "minutes",
    "h": "hours", "hr": "hours", "hour": "hours",
    "d": "days", "day": "days", "w": "weeks", "week": "weeks",
}  # fmt: skip


def show(
    names: list[str], pattern: str, start: str, end: str | None, *, tail: bool, as_json: bool
) -> int:  # fmt: skip
    """Print the events; with `tail`, until Ctrl-C. The exit code."""
    here = session.settings()
    now = datetime.now(UTC)
    wanted = Wanted(names, pattern, _ms(moment(start, now)), _ms(moment(end, now)) if end else None)
    if not here.home.is_dir():
        raise NotFound(f"nothing was ever run here ({here.home} does not exist)", hint="start with `penstock run`")
    daemon.start(here, ("runtime",))
    said = announce.read(here.announcement("runtime"))
    logs = FunctionLogs(said.port if said is not None else 0)
    if not tail:
        _check(logs, names)
    several = len(names) != 1
    for event in logs.follow(wanted, lambda: time.sleep(_LOOK_EVERY_S)) if tail else logs.events(wanted):
        _print(event, several=several, as_json=as_json)
    return 0


def moment(text: str, now: datetime) -> datetime:
    """The time that `text` means: ISO 8601 (UTC without an offset), `10 minutes ago`, `now`, `today`, `yesterday`.

    Raises:
        InvalidInput: it means none.
    """
    words = " ".join(text.strip().lower().split())
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    known = {"now": now, "today": midnight, "yesterday": now - timedelta(days=1)}
    if words in known:
        return known[words]
    ago = _AGO.fullmatch(words)
    if ago is not None and ago.group(2) in _UNITS:
        return now - timedelta(**{_UNITS[ago.group(2)]: int(ago.group(1))})
    try:
        found = datetime.fromisoformat(text.strip().replace("/", "-"))
    except ValueError:
        hint = "write `10 minutes ago`, `yesterday`, or 2026-11-23T17:45:00"
        raise InvalidInput(f"'{text}' is no time", hint=hint) from None
    return found.astimezone(UTC) if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _check(logs: FunctionLogs, names: list[str]) -> None:
    """Refuse names of functions that never logged: an empty answer would look like a quiet function."""
    known = logs.functions()
    for name in names:
        if name not in known:
            hint = suggest(name, known) or (f"there are logs of {', '.join(known)}" if known else "invoke one first")
            raise NotFound(f"there is no log of a function {name!r}", hint=hint)


def _print(event: LogEvent, *, several: bool, as_json: bool) -> None:
    at = datetime.fromtimestamp(event.at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if as_json:
        line = {"function": event.function, "stream": event.stream, "timestamp": at, "message": event.message}
        printer.json_line(line)
    else:
        printer.line(f"{event.function + ' ' if several else ''}{event.stream} {at} {event.message}")


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
