"""PutMetricData: what a request's data mean, and what is wrong with them. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runtime.api.errors import ApiError
from runtime.metrics.series import Series, series

_MOST_DATA = 1000
_MOST_VALUES = 150
_LARGEST = 2.0**360
_OLDEST_S = 14 * 86400
_NEWEST_S = 2 * 3600
"""Source: CloudWatch, PutMetricData and MetricDatum."""


@dataclass(frozen=True, slots=True)
class Samples:
    """What is to be added to one series in one second: single values with their counts, or only their statistics."""

    key: Series
    second: int
    values: tuple[tuple[float, float], ...] = ()
    statistics: tuple[float, float, float, float] | None = None
    """Sample count, sum, minimum, maximum."""


def accepted(parameters: Mapping[str, Any], now: datetime) -> list[Samples]:
    """The samples of a whole request; nothing is kept unless all of it is right.

    Raises:
        ApiError: an error of CloudWatch's.
    """
    namespace = parameters["Namespace"]
    if namespace.startswith("AWS/"):
        raise _invalid(f"The value {namespace} for parameter Namespace is invalid.")
    data = list(_data(parameters))
    if not data:
        raise ApiError("MissingRequiredParameterException", "The parameter MetricData is required.")
    if len(data) > _MOST_DATA:
        raise _invalid(f"The collection MetricData must not have a size greater than {_MOST_DATA}.")
    return [_samples(namespace, datum, where, now) for where, datum in data]


def _data(parameters: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for index, datum in enumerate(parameters.get("MetricData", []), 1):
        yield f"MetricData.member.{index}", datum
    for outer, entity in enumerate(parameters.get("EntityMetricData", []), 1):
        for index, datum in enumerate(entity.get("MetricData", []), 1):
            yield f"EntityMetricData.member.{outer}.MetricData.member.{index}", datum


def _samples(namespace: str, datum: Mapping[str, Any], where: str, now: datetime) -> Samples:
    key = series(namespace, datum["MetricName"], dimensions(datum, where), datum.get("Unit", "None"))
    second = _second(datum, where, now)
    given = [name for name in ("Value", "Values", "StatisticValues") if datum.get(name) is not None]
    if len(given) > 1:
        raise ApiError(
            "InvalidParameterCombinationException",
            f"The parameters {where}.{given[0]} and {where}.{given[1]} are mutually exclusive and you have "
            "specified both.",
        )
    if not given:
        raise ApiError(
            "MissingRequiredParameterException",
            f"One of the parameters {where}.Value, {where}.Values and {where}.StatisticValues is required.",
        )
    if given == ["StatisticValues"]:
        return _set(key, second, datum["StatisticValues"], where)
    values = [datum["Value"]] if given == ["Value"] else datum["Values"]
    counts, numbers = _counts(datum, values, where), _numbers(values, f"{where}.{given[0]}")
    return Samples(key, second, tuple(zip(numbers, counts, strict=True)))


def dimensions(datum: Mapping[str, Any], where: str) -> dict[str, str]:
    """The dimensions by name.

    Raises:
        ApiError: one is named twice.
    """
    found: dict[str, str] = {}
    for index, each in enumerate(datum.get("Dimensions", []), 1):
        if each["Name"] in found:
            raise _invalid(f"The parameter {where}.Dimensions.member.{index}.Name must be unique.")
        found[each["Name"]] = each["Value"]
    return found


def _second(datum: Mapping[str, Any], where: str, now: datetime) -> int:
    """When it was measured: to the second, or to the minute with standard resolution."""
    resolution: int = datum.get("StorageResolution", 60)
    if resolution not in {1, 60}:
        raise _invalid(f"The value {resolution} for parameter {where}.StorageResolution is invalid: it is 1 or 60.")
    at: float = (datum.get("Timestamp") or now).timestamp()
    if at < now.timestamp() - _OLDEST_S:
        raise _invalid(f"The parameter {where}.Timestamp must specify a time no more than two weeks in the past.")
    if at > now.timestamp() + _NEWEST_S:
        raise _invalid(f"The parameter {where}.Timestamp must specify a time no more than two hours in the future.")
    return int(at // resolution) * resolution


def _set(key: Series, second: int, given: Mapping[str, float], where: str) -> Samples:
    names = ("SampleCount", "Sum", "Minimum", "Maximum")
    count, total, low, high = _numbers([given[name] for name in names], f"{where}.StatisticValues")
    if low > high:
        raise _invalid(f"The parameter {where}.StatisticValues.Maximum must be greater than Minimum, and is not.")
    if count <= 0:
        raise _invalid(f"The parameter {where}.StatisticValues.SampleCount must be greater than 0.")
    if low == high:
        return Samples(key, second, ((low, count),))
    return Samples(key, second, statistics=(count, total, low, high))


def _counts(datum: Mapping[str, Any], values: Sequence[float], where: str) -> list[float]:
    counts = datum.get("Counts") or [1.0] * len(values)
    if len(values) > _MOST_VALUES:
        raise _invalid(f"The collection {where}.Values must not have a size greater than {_MOST_VALUES}.")
    if len(counts) != len(values):
        raise _invalid(f"The parameters {where}.Values and {where}.Counts must be of the same size.")
    if any(not 0 < count < math.inf for count in counts):
        raise _invalid(f"The parameter {where}.Counts must have values greater than 0.")
    return [float(count) for count in counts]


def _numbers(values: Sequence[float], where: str) -> list[float]:
    for value in values:
        if not abs(value) <= _LARGEST:
            raise _invalid(f"The value {value} for parameter {where} is invalid.")
    return [float(value) for value in values]


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterValueException", message)
