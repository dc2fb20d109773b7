"""Rules of triggers: which filters go together, patterns that can be read, times that come.

Source: CodePipeline, filter triggers on code push: tags alone, branches alone, or branches with file paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from core.document import Path, suggest
from pipelines.definition import patterns
from pipelines.definition.mistakes import Mistake, shown
from pipelines.definition.view import PipelineView, mapping, texts

# Any moment will do to see whether a cron expression ever comes due.
_SOME_TIME = datetime(2024, 1, 1, tzinfo=UTC)


def mistakes(pipeline: PipelineView) -> Iterator[Mistake]:
    """What is wrong with the triggers of `pipeline`."""
    schedules: set[tuple[str, str]] = set()
    for path, trigger in pipeline.triggers:
        if len(trigger) != 1:
            yield Mistake(
                path, f"a trigger has one key, push or schedule, not {len(trigger)}", "make each its own item"
            )
        if "push" in trigger and isinstance(trigger["push"], dict):
            yield from _push_mistakes((*path, "push"), trigger["push"])
        schedule = mapping(trigger.get("schedule"))
        if isinstance(schedule.get("cron"), str):
            yield from _schedule_mistakes((*path, "schedule"), schedule)
            same = (" ".join(schedule["cron"].split()), str(schedule.get("timezone", "UTC")))
            if same in schedules:
                yield Mistake(path, "the same schedule stands above already", "remove one")
            schedules.add(same)


def zone(name: str) -> ZoneInfo:
    """The time zone of that IANA name.

    Raises:
        ValueError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"there is no time zone {shown(name)}") from None


def _push_mistakes(path: Path, push: Mapping[str, Any]) -> Iterator[Mistake]:
    if "tags" in push and len(push) > 1:
        what = "tags cannot be combined with branches or filePaths"
        yield Mistake((*path, "tags"), what, "make two push triggers, any of them starts", at_key=True)
    elif "branches" not in push and "tags" not in push:
        what = "filePaths needs branches beside it" if "filePaths" in push else "a push needs branches or tags"
        yield Mistake(path, what, 'add branches: {includes: ["**"]} for every branch')
    for dimension in ("branches", "tags", "filePaths"):
        data = push.get(dimension)
        if not isinstance(data, dict):
            continue
        if not data:
            yield Mistake((*path, dimension), "needs includes or excludes", 'write {includes: ["**"]} for all')
        for side in ("includes", "excludes"):
            for place, pattern in texts(data.get(side), (*path, dimension, side)):
                try:
                    patterns.compiled(pattern)
                except ValueError as error:
                    yield Mistake(place, str(error))


def _schedule_mistakes(path: Path, schedule: Mapping[str, Any]) -> Iterator[Mistake]:
    cron, timezone = schedule["cron"], schedule.get("timezone", "UTC")
    if isinstance(timezone, str):
        try:
            zone(timezone)
        except ValueError as error:
            hint = suggest(timezone, available_timezones()) or "use an IANA name such as Europe/Paris"
            yield Mistake((*path, "timezone"), str(error), hint)
    what, hint = _cron_mistake(cron)
    if what:
        yield Mistake((*path, "cron"), what, hint)


def _cron_mistake(cron: str) -> tuple[str, str]:
    """(what, hint) that is wrong with the expression; ("", "") for a good one."""
    fields = cron.split()
    if len(fields) != 5:
        what = f"a cron expression has 5 fields, not {len(fields)}"
        return what, "write minute hour day-of-month month day-of-week, such as 0 6 * * MON-FRI"
    try:
        next(CronSim(cron, _SOME_TIME))
    except CronSimError as error:
        return f"{shown(cron)} is no cron expression: {str(error)[:1].lower()}{str(error)[1:]}", ""
    except StopIteration:
        return f"{shown(cron)} never comes due", ""
    return "", ""
