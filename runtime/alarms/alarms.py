"""The alarms of one server: every change of one, what follows from it for others, and the watch over their metrics."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from core.clock import Clock
from runtime.alarms import history, judge
from runtime.alarms.messages import arn_of
from runtime.alarms.records import COMPOSITE, METRIC, Alarm, State
from runtime.alarms.store import AlarmStore
from runtime.metrics.query import Source
from runtime.names import Scope

_log = logging.getLogger(__name__)
_LOOK_EVERY_S = 1.0
_LOOK_AGAIN_S = 5
"""How often the same period is looked at again: an invocation is counted when it began, but only once it ended."""
_TRIM_EVERY_S = 3600.0


class Alarms:
    """`nudge` is called whenever there may be actions to do. Used from the event loop's thread only."""

    def __init__(
        self, store: AlarmStore, source: Source, clock: Clock, scope: Scope, nudge: Callable[[], None]
    ) -> None:
        self.store = store
        self._source = source
        self._clock = clock
        self._scope = scope
        self._nudge = nudge
        self._seen: dict[str, tuple[datetime, judge.Look, float]] = {}
        self._stopping = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None
        self._trimmed = 0.0

    def start(self) -> None:
        """Begin to watch."""
        self._watch = asyncio.create_task(self._keep_watching())

    async def stop(self) -> None:
        """Watch no longer."""
        self._stopping.set()
        if self._watch is not None:
            await self._watch

    # changes ----------------------------------------------------------------------------------------------------

    def put(self, alarm: Alarm) -> None:
        """Keep a new alarm, or another configuration of one that exists; its state, then, stays."""
        before = self.store.get(alarm.name)
        if before is not None:
            alarm = replace(
                before, kind=alarm.kind, settings=alarm.settings, configured=alarm.configured, tags=before.tags
            )
        self.store.save(alarm, history.configured(alarm, before, alarm.configured))
        if alarm.kind == COMPOSITE:
            word = "created" if before is None else "updated"
            self._combine(alarm, f"{arn_of(alarm.name, self._scope)} was {word}")

    def delete(self, names: Sequence[str]) -> None:
        """Forget alarms."""
        now = self._clock.now()
        known = [alarm for alarm in map(self.store.get, names) if alarm is not None]
        self.store.delete([alarm.name for alarm in known], *(history.deleted(alarm, now) for alarm in known))

    def enable(self, names: Sequence[str], *, acting: bool) -> None:
        """Have alarms act, or not."""
        now = self._clock.now()
        for before in filter(None, map(self.store.get, names)):
            if before.acts is not acting:
                settings = {**before.settings, "ActionsEnabled": acting}
                after = replace(before, settings=settings, configured=now)
                self.store.save(after, history.configured(after, before, now))

    def tag(self, alarm: Alarm, tags: Mapping[str, str]) -> None:
        """Give an alarm these tags and no others."""
        self.store.save(replace(alarm, tags=tags))

    def set_state(self, alarm: Alarm, state: State, reason: str, reason_data: str) -> None:
        """Say that an alarm is in a state, until its datapoints say otherwise."""
        now = self._clock.now()
        transitioned = alarm.transitioned if state is alarm.state else now
        after = replace(
            alarm, state=state, reason=reason, reason_data=reason_data, updated=now, transitioned=transitioned
        )
        if alarm.kind == METRIC:
            seen = judge.look(alarm, self._source, judge.slot_of(alarm.settings, now.timestamp()))
            self._seen[alarm.name] = (alarm.configured, seen, now.timestamp())
        self._changed(alarm, after)

    def _changed(self, before: Alarm, after: Alarm) -> None:
        """Keep a changed alarm; with another state, its actions are to be done, and composite alarms look again."""
        if after.state is before.state:
            self.store.save(after)
            return
        _log.info("alarm %s: %s -> %s: %s", after.name, before.state, after.state, after.reason)
        self.store.save(after, history.changed(before, after), acting_after=before)
        self._nudge()
        at = f"{after.transitioned:%A %d %B, %Y %H:%M:%S} UTC"
        trigger = f"{arn_of(after.name, self._scope)} transitioned to {after.state} at {at}"
        for alarm in self.store.all():
            if alarm.kind == COMPOSITE and alarm.name != after.name:
                self._combine(alarm, trigger)

    def _combine(self, alarm: Alarm, trigger: str) -> None:
        def state(name: str) -> State | None:
            found = self.store.get(name)
            return found.state if found is not None else None

        after = judge.combined(alarm, state, trigger, self._clock.now())
        if after is not alarm:
            self._changed(alarm, after)

    # the watch --------------------------------------------------------------------------------------------------

    async def _keep_watching(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _LOOK_EVERY_S)
            try:
                self.look()
            except Exception:  # noqa: BLE001  (one alarm that cannot be judged must not end the watch)
                _log.exception("alarms could not be evaluated")

    def look(self) -> None:
        """Evaluate every metric alarm whose time it is."""
        now = self._clock.now()
        for alarm in self.store.all():
            if alarm.kind == METRIC and self._is_due(alarm, now.timestamp()):
                self._evaluate(alarm, now)
        if now.timestamp() - self._trimmed >= _TRIM_EVERY_S:
            self._trimmed = now.timestamp()
            self.store.trim(now)

    def _is_due(self, alarm: Alarm, now: float) -> bool:
        configured, seen, at = self._seen.get(alarm.name, (None, judge.Look(0), 0.0))
        other = configured != alarm.configured or seen.slot != judge.slot_of(alarm.settings, now)
        return other or now - at >= _LOOK_AGAIN_S

    def _evaluate(self, alarm: Alarm, now: datetime) -> None:
        """Judge the alarm, unless it has been judged by just these datapoints."""
        seen = judge.look(alarm, self._source, judge.slot_of(alarm.settings, now.timestamp()))
        configured, before, _ = self._seen.get(alarm.name, (None, judge.Look(0), 0.0))
        self._seen[alarm.name] = (alarm.configured, seen, now.timestamp())
        if configured == alarm.configured and before == seen:
            return
        after = judge.judged(alarm, seen, now)
        if after is not alarm:
            self._changed(alarm, after)
