"""Evaluates expressions of metric math over the series of one request. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from runtime.metrics.expressions import functions
from runtime.metrics.expressions.grammar import Call, ExpressionError, Many, Name, Number, Text, Tree, parse
from runtime.metrics.expressions.values import TimeSeries, Value, each, join

_CALENDAR: Mapping[str, Callable[[datetime], float]] = {
    "MINUTE": lambda at: at.minute,
    "HOUR": lambda at: at.hour,
    "DAY": lambda at: at.isoweekday(),
    "DATE": lambda at: at.day,
    "MONTH": lambda at: at.month,
    "YEAR": lambda at: at.year,
    "EPOCH": lambda at: at.timestamp(),
}
_ELSEWHERE = {"ANOMALY_DETECTION_BAND", "INSIGHT_RULE_METRIC", "SEARCH", "SERVICE_QUOTA", "DB_PERF_INSIGHTS", "LAMBDA"}
"""Functions that need a service this runtime does not have."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What expressions are evaluated over: every period's first second, the period, and what each Id stands for."""

    grid: Sequence[int]
    period_s: int
    metrics: Mapping[str, TimeSeries]
    """The queries that are metrics, in the request's order."""
    expressions: Mapping[str, str]


def evaluate(setting: Setting, name: str) -> list[TimeSeries]:
    """The series that the expression with the Id `name` comes to: one, or those of an array.

    Raises:
        ExpressionError: it cannot be read or evaluated, or comes to a scalar.
    """
    found = _Evaluation(setting).value(name)
    if isinstance(found, float):
        raise ExpressionError("the result is a scalar; it must be a time series or an array of time series")
    return list(found) if isinstance(found, tuple) else [found]


class _Evaluation:
    """One evaluation; the result of each Id is kept."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._known: dict[str, Value] = dict(setting.metrics)
        self._open: set[str] = set()

    def value(self, name: str) -> Value:
        """What an Id stands for."""
        if name not in self._known:
            if name in self._open:
                raise ExpressionError(f"'{name}' refers to itself")
            if name not in self._setting.expressions:
                raise ExpressionError(f"'{name}' is no Id of this request")
            self._open.add(name)
            self._known[name] = self._of(parse(self._setting.expressions[name]))
        return self._known[name]

    def _of(self, tree: Tree) -> Value:
        if isinstance(tree, Number):
            return tree.value
        if isinstance(tree, Name):
            return self.value(tree.value)
        if isinstance(tree, Text):
            raise ExpressionError(f'"{tree.value}" is text; only METRICS takes text')
        if isinstance(tree, Many):
            return tuple(series for item in tree.items for series in self._series(self._of(item)))
        return self._call(tree)

    def _series(self, value: Value) -> tuple[TimeSeries, ...]:
        if isinstance(value, float):
            return (self._flat(value),)
        return value if isinstance(value, tuple) else (value,)

    def _flat(self, value: float) -> TimeSeries:
        return TimeSeries(dict.fromkeys(self._setting.grid, value))

    def _call(self, call: Call) -> Value:
        name, arguments = call.function, call.arguments
        if name in functions.OPERATORS:
            return join(self._of(arguments[0]), self._of(arguments[1]), functions.OPERATORS[name])
        if name == "negative":
            return join(0.0, self._of(arguments[0]), functions.OPERATORS["-"])
        if name in _ELSEWHERE:
            raise ExpressionError(f"the function {name} is not supported by this local runtime")
        special = _SPECIAL.get(name)
        if special is not None:
            return special(self, call)
        if name in functions.SUMMARIES:
            return functions.summary(name, self._only(call))
        pointwise, on_series = functions.POINTWISE.get(name), functions.SERIES.get(name)
        if pointwise is not None:
            return each(self._only(call), lambda series: series.map(pointwise), name)
        if on_series is not None:
            return each(self._only(call), on_series, name)
        if name in _CALENDAR:
            self._only(call)
            grid = self._setting.grid
            return TimeSeries({at: float(_CALENDAR[name](datetime.fromtimestamp(at, UTC))) for at in grid})
        raise ExpressionError(f"there is no function {name}")

    def _only(self, call: Call) -> Value:
        return self._take(call, 1)[0]

    def _take(self, call: Call, *counts: int) -> list[Value]:
        """The arguments' values.

        Raises:
            ExpressionError: their number is none of `counts`.
        """
        if len(call.arguments) not in counts:
            many = " or ".join(str(count) for count in counts)
            raise ExpressionError(f"{call.function} takes {many} argument{'s' if counts != (1,) else ''}")
        return [self._of(argument) for argument in call.arguments]

    # functions that need more than their arguments' values --------------------------------------------------------

    def metrics(self, call: Call) -> Value:
        """METRICS() or METRICS("part of an Id")."""
        words = [argument.value for argument in call.arguments if isinstance(argument, Text)]
        if len(words) != len(call.arguments) or len(words) > 1:
            raise ExpressionError("METRICS takes nothing or one text in quotes")
        found = self._setting.metrics.items()
        return tuple(series for name, series in found if not words or words[0] in name)

    def fill(self, call: Call) -> Value:
        """FILL(series, scalar | series | REPEAT | LINEAR)."""
        if len(call.arguments) != 2:
            raise ExpressionError("FILL takes 2 arguments")
        value, filler = self._of(call.arguments[0]), call.arguments[1]
        word = filler.value if isinstance(filler, Name) and filler.value in {"REPEAT", "LINEAR"} else None
        return functions.fill(value, word or self._of(filler), self._setting.grid)

    def choose(self, call: Call) -> Value:
        """IF(condition, when, otherwise)."""
        values = self._take(call, 2, 3)
        return functions.choose(values[0], values[1], values[2] if len(values) == 3 else None)

    def sort(self, call: Call) -> Value:
        """SORT(array, function, order, limit)."""
        words = [each.value for each in call.arguments[1:3] if isinstance(each, Name)]
        if len(words) != 2 or len(call.arguments) > 4:
            raise ExpressionError("SORT takes an array, a function, an order, and a limit")
        limit = self._of(call.arguments[3]) if len(call.arguments) == 4 else None
        if not isinstance(limit, float | None):
            raise ExpressionError("the limit of SORT is a scalar")
        return functions.ordered(self._of(call.arguments[0]), words[0], words[1], limit)

    def slice(self, call: Call) -> Value:
        """SLICE(array, start, end)."""
        array, *bounds = self._take(call, 2, 3)
        numbers = [int(bound) for bound in bounds if isinstance(bound, float)]
        if not isinstance(array, tuple) or len(numbers) != len(bounds):
            raise ExpressionError("SLICE takes an array and one or two scalars")
        return array[slice(*numbers)] if len(numbers) == 2 else array[numbers[0] :]

    def array(self, call: Call) -> tuple[TimeSeries, ...]:
        """The one argument, which is an array."""
        value = self._only(call)
        if not isinstance(value, tuple):
            raise ExpressionError(f"{call.function} takes an array of time series")
        return value

    def end(self, call: Call) -> Value:
        """FIRST(array) or LAST(array)."""
        array = self.array(call)
        if not array:
            raise ExpressionError(f"{call.function} of an empty array")
        return array[0 if call.function == "FIRST" else -1]

    def period(self, call: Call) -> Value:
        """PERIOD(metric)."""
        argument = call.arguments[0] if len(call.arguments) == 1 else None
        if not isinstance(argument, Name) or argument.value not in self._setting.metrics:
            raise ExpressionError("PERIOD takes the Id of a metric")
        return float(self._setting.period_s)

    def flat(self, call: Call) -> Value:
        """TIME_SERIES(scalar)."""
        value = self._only(call)
        if not isinstance(value, float):
            raise ExpressionError("TIME_SERIES takes a scalar")
        return self._flat(value)


_SPECIAL: Mapping[str, Callable[[_Evaluation, Call], Value]] = {
    "METRICS": _Evaluation.metrics,
    "FILL": _Evaluation.fill,
    "IF": _Evaluation.choose,
    "SORT": _Evaluation.sort,
    "SLICE": _Evaluation.slice,
    "FIRST": _Evaluation.end,
    "LAST": _Evaluation.end,
    "PERIOD": _Evaluation.period,
    "TIME_SERIES": _Evaluation.flat,
    "METRIC_COUNT": lambda self, call: float(len(self.array(call))),
    "REMOVE_EMPTY": lambda self, call: tuple(series for series in self.array(call) if series.points),
}


def relabelled(found: Sequence[TimeSeries], label: str) -> list[TimeSeries]:
    """The series of a result as they are shown: one bears the expression's label, each of many its own, too.

    Source: CloudWatch, "Expression-Label Metric-Label".
    """
    if len(found) == 1:
        return [replace(found[0], label=label)]
    return [replace(series, label=f"{label} {series.label}".strip()) for series in found]
