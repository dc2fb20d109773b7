"""Looking at a rollout's alarms: asks the target's CloudWatch, `threshold` judges. A failed look is a verdict, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from core.errors import PenstockError
from deploy.analysis.alarms import MetricAlarm, NamedAlarm
from deploy.analysis.threshold import Series, datapoints, evaluate, evaluate_window, floor
from deploy.analysis.verdict import Judgement, Verdict
from deploy.ports import MetricsApi, Point, Query
from deploy.traffic.state import Harm, Rollout

_STATISTICS = {"Invocations": "Sum", "Errors": "Sum", "Throttles": "Sum", "Duration": "Average"}
_LOOK_BACK_PERIODS = 5  # more than the alarm's own, so that nothing is missed when a look comes late
_AWS_PERIOD_S = 60  # Source: Lambda's metrics are kept per minute


class Watch:
    """The alarms and counts of rollouts on one target.

    Metrics are those of the new version behind the alias (dimensions FunctionName, Resource, ExecutedVersion). When
    the alias is wholly on the new version and none exist, the alias's own are taken: ExecutedVersion tells the two
    versions of a split alias apart. Source: Lambda metric dimensions.
    """

    def __init__(self, metrics: MetricsApi) -> None:
        self._metrics = metrics

    def now(self, state: Rollout, at: datetime) -> tuple[Judgement, ...]:
        """Every alarm as of `at`; before any traffic only the named ones."""
        metric = [self._recent(alarm, state, at) for alarm in _metric_alarms(state)] if state.first_shift_at else []
        return (*self._named(state), *metric)

    def whole_step(self, state: Rollout, at: datetime) -> tuple[Judgement, ...]:
        """Every alarm on the present step from its first request to `at`."""
        metric = [self._step(alarm, state, at) for alarm in _metric_alarms(state)] if state.step_from else []
        return (*self._named(state), *metric)

    def harm(self, state: Rollout, at: datetime) -> Harm | None:
        """What the new version did from its first traffic to `at`, as far as it is counted; None when unknown."""
        if state.first_shift_at is None:
            return None
        period_s = min((alarm.period_s for alarm in _metric_alarms(state)), default=_AWS_PERIOD_S)
        try:
            series = self._series(("Invocations", "Errors"), state, period_s, state.first_shift_at, at)
        except PenstockError:
            return None
        errors = [point for point in series["Errors"] if point.value > 0]
        first = max(errors[0].at, state.first_shift_at) if errors else None
        return Harm(_sum(series["Invocations"]), _sum(errors), first)

    def _named(self, state: Rollout) -> list[Judgement]:
        names = [alarm.name for alarm in state.alarms if isinstance(alarm, NamedAlarm)]
        if not names:
            return []
        try:
            found = self._metrics.alarm_states(names)
        except PenstockError as error:
            return [Judgement(name, Verdict.ERROR, str(error)) for name in names]
        return [
            _from_state(name, found[name].value, found[name].reason) if name in found else _absent(name)
            for name in names
        ]

    def _recent(self, alarm: MetricAlarm, state: Rollout, at: datetime) -> Judgement:
        back = timedelta(seconds=alarm.period_s * (alarm.evaluation_periods + _LOOK_BACK_PERIODS))
        start = max(state.first_shift_at or at, at - back)
        try:
            series = self._series(_needed(alarm), state, alarm.period_s, start, at)
        except PenstockError as error:
            return Judgement(alarm.name, Verdict.ERROR, str(error))
        return evaluate(alarm, datapoints(alarm, series, start, at), state.verdicts.get(alarm.name))

    def _step(self, alarm: MetricAlarm, state: Rollout, at: datetime) -> Judgement:
        start = state.step_from or at
        try:
            series = self._series(_needed(alarm), state, alarm.period_s, start, at)
        except PenstockError as error:
            return Judgement(alarm.name, Verdict.ERROR, str(error))
        return evaluate_window(alarm, datapoints(alarm, series, start, at), state.verdicts.get(alarm.name))

    def _series(self, metrics: Sequence[str], state: Rollout, period_s: int, start: datetime, end: datetime) -> Series:
        of_alias = {"FunctionName": state.function, "Resource": f"{state.function}:{state.alias}"}
        of_version = of_alias | {"ExecutedVersion": state.new_version}
        first = floor(start, period_s)
        series = self._read(metrics, of_version, period_s, first, end)
        if state.weight_pct < 100 or series["Invocations"] or state.shifted_at is None:
            return series
        whole_from = floor(state.shifted_at, period_s) + timedelta(seconds=period_s)  # before that both versions served
        return self._read(metrics, of_alias, period_s, max(first, whole_from), end)

    def _read(
        self, metrics: Sequence[str], dimensions: Mapping[str, str], period_s: int, start: datetime, end: datetime
    ) -> Series:
        if start >= end:
            return dict.fromkeys(metrics, ())
        queries = [Query(metric.lower(), metric, dimensions, _STATISTICS[metric], period_s) for metric in metrics]
        found = self._metrics.series(queries, start, end)
        return {metric: found.get(metric.lower(), ()) for metric in metrics}


def _metric_alarms(state: Rollout) -> list[MetricAlarm]:
    return [alarm for alarm in state.alarms if isinstance(alarm, MetricAlarm)]


def _needed(alarm: MetricAlarm) -> tuple[str, ...]:
    """The metrics that an alarm is computed from."""
    own = "Errors" if alarm.metric == "ErrorRate" else alarm.metric
    return ("Invocations", "Errors") if own == "Errors" else ("Invocations", "Errors", own)


def _sum(points: Sequence[Point]) -> int:
    return round(sum(point.value for point in points))


def _from_state(name: str, value: str, reason: str) -> Judgement:
    """Source: CloudWatch StateValue."""
    if value == "ALARM":
        return Judgement(name, Verdict.BAD, reason or "its state is ALARM")
    if value == "OK":
        return Judgement(name, Verdict.GOOD, "its state is OK")
    return Judgement(name, Verdict.INCONCLUSIVE, f"its state is {value}")


def _absent(name: str) -> Judgement:
    return Judgement(name, Verdict.ERROR, "there is no such alarm in the target's CloudWatch")
