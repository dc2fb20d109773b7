"""One look at everything that may start executions: spooled git events and due schedules.

An event is forgotten only when the ledger has it: as the trigger of an execution, written in the execution's own
transaction, or as ignored or refused, with the reason. So however often a look is cut short and repeated, an event
starts one execution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from core.errors import Conflict, InvalidInput, NotAllowed, NotFound, PenstockError
from pipelines.definition.model import ScheduleTrigger
from pipelines.triggers import schedule
from pipelines.triggers.event import GitEvent, ScheduleEvent
from pipelines.triggers.observe import GitFailed
from pipelines.triggers.route import Route, routes
from pipelines.triggers.spool import Spool
from pipelines.triggers.watch import Load, PipelineFiles, Restore, Watched
from store.database import Database
from store.records import ExecutionRecord, NewEvent, TriggerRecord

GIT_HOOK, SCHEDULE = "GitHook", "Schedule"


class Starter(Protocol):
    """What starts an execution: the pipelines' service."""

    def start(
        self,
        file_text: str,
        file: Path,
        *,
        variables: Mapping[str, str],
        trigger_type: str,
        trigger_detail: str,
        key: str | None,
        source_revisions: Mapping[str, str],
    ) -> ExecutionRecord | None:
        """The new execution, in one transaction with its trigger; None when `key` was known."""
        ...


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that started nothing, and why. `pipeline` is "" when no pipeline follows the repository."""

    key: str
    pipeline: str
    why: str


@dataclass(slots=True)
class TickReport:
    """What one look did. What `problems` speak of waits for the next look."""

    started: list[ExecutionRecord] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Ticker:
    """Looks whenever told to. `files` names pipeline files to watch beside those of stored pipelines."""

    def __init__(
        self,
        starter: Starter,
        database: Database,
        home: Path,
        *,
        load: Load,
        restore: Restore,
        files: Callable[[], Iterable[Path]],
    ) -> None:
        self._starter = starter
        self._database = database
        self._spool = Spool(home)
        self._pipelines = PipelineFiles(load, restore, home.absolute().parent)
        self._files = files
        self._next_due: dict[tuple[str, str], datetime | None] = {}

    def tick(self, now: datetime) -> TickReport:
        """Start everything that is wanted by `now`; safe to repeat, to interrupt, and to do in two processes."""
        report = TickReport()
        try:
            with self._database.snapshot() as snapshot:
                records = snapshot.pipelines()
            watched = self._pipelines.current(records, self._files())
            self._take_spooled(watched, now, report)
            for pipeline in watched:
                for trigger in pipeline.definition.triggers:
                    if isinstance(trigger, ScheduleTrigger):
                        self._take_schedule(pipeline, trigger, now, report)
        except PenstockError as error:
            report.problems.append(str(error))
        return report

    def _take_spooled(self, watched: Sequence[Watched], now: datetime, report: TickReport) -> None:
        for spooled in self._spool.waiting():
            for event in spooled.events:
                self._take_event(event, watched, now, report)
            self._spool.remove(spooled)

    def _take_event(self, event: GitEvent, watched: Sequence[Watched], now: datetime, report: TickReport) -> None:
        try:
            found = list(routes(event, watched))
        except GitFailed as error:
            self._ignore(GIT_HOOK, event.key(""), "", event.detail, str(error), now, report)
            return
        if not found:
            self._ignore(GIT_HOOK, event.key(""), "", event.detail, "no pipeline follows this repository", now, report)
        for route in found:
            self._take_route(event, route, now, report)

    def _take_route(self, event: GitEvent, route: Route, now: datetime, report: TickReport) -> None:
        name, key = route.pipeline.name, event.key(route.pipeline.name)
        if route.verdict.start:
            self._start(route.pipeline, GIT_HOOK, event.detail, key, route.revisions, now, report)
        else:
            self._ignore(GIT_HOOK, key, name, event.detail, route.verdict.why, now, report)

    def _take_schedule(self, pipeline: Watched, trigger: ScheduleTrigger, now: datetime, report: TickReport) -> None:
        place = (pipeline.name, schedule.digest(trigger))
        if place not in self._next_due:
            self._next_due[place] = schedule.next_due(trigger, self._cursor(*place, now))
        next_due = self._next_due[place]
        if next_due is None or next_due > now:
            return
        look = schedule.look(trigger, self._cursor(*place, now), now)
        for due_at in look.due:
            event = ScheduleEvent(*place, trigger.cron, trigger.timezone, due_at)
            self._start(pipeline, SCHEDULE, event.detail, event.key, {}, now, report)
        with self._database.transaction() as transaction:
            transaction.set_schedule_cursor(*place, look.cursor)
            if look.missed:
                why = f"due times passed without a start, and catchUp is {trigger.catch_up}"
                facts = {"cron": trigger.cron, "timezone": trigger.timezone, "started": len(look.due)}
                transaction.append(NewEvent("ScheduleMissed", pipeline.name, why, facts=facts))
        del self._next_due[place]

    def _cursor(self, pipeline: str, digest: str, now: datetime) -> datetime:
        """How far the schedule has come; one that was never seen begins now."""
        with self._database.snapshot() as snapshot:
            cursor = snapshot.schedule_cursor(pipeline, digest)
        if cursor is not None:
            return cursor
        with self._database.transaction() as transaction:
            transaction.set_schedule_cursor(pipeline, digest, now)
        return now

    def _start(
        self,
        pipeline: Watched,
        kind: str,
        detail: str,
        key: str,
        revisions: Mapping[str, str],
        now: datetime,
        report: TickReport,
    ) -> None:
        """Start `pipeline` unless `key` is known; what the user must mend first is refused for good."""
        if pipeline.problem:
            self._ignore(kind, key, pipeline.name, detail, pipeline.problem, now, report)
            return
        try:
            execution = self._starter.start(
                pipeline.text,
                pipeline.file,
                variables={},
                trigger_type=kind,
                trigger_detail=detail,
                key=key,
                source_revisions=revisions,
            )
        except Conflict:
            raise
        except (InvalidInput, NotAllowed, NotFound) as error:
            self._ignore(kind, key, pipeline.name, detail, str(error), now, report)
            return
        if execution is not None:
            report.started.append(execution)

    def _ignore(
        self, kind: str, key: str, pipeline: str, detail: str, why: str, now: datetime, report: TickReport
    ) -> None:
        """Put on record that the event starts nothing, once."""
        record = TriggerRecord(key, pipeline, kind, {"detail": detail, "why": why}, "", now)
        with self._database.transaction(durable=True) as transaction:
            if transaction.accept_trigger(record):
                event = NewEvent("TriggerIgnored", pipeline or key, why, facts={"key": key, "detail": detail})
                transaction.append(event)
                report.ignored.append(Ignored(key, pipeline, why))
