"""PutMetricAlarm and PutCompositeAlarm: what is wrong with a request, and the rule that a metric alarm means. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from runtime.alarms import rules
from runtime.alarms.decide import COMPARISONS, TREATMENTS, Rule, samples_needed
from runtime.alarms.wording import period_s
from runtime.api.errors import ApiError
from runtime.metrics.accept import dimensions
from runtime.metrics.buckets import percentile_rank
from runtime.metrics.data import check_statistic, validation
from runtime.metrics.expressions.grammar import ExpressionError, parse

_DAY_S = 86_400
_LONG_PERIOD_S = 3600
_SHORT_PERIODS_S = (10, 20, 30)
_MOST_METRICS = 10
_SINGLE = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit")
_NOT_HERE = {
    "ThresholdMetricId": "Anomaly detection",
    "EvaluationCriteria": "EvaluationCriteria (PromQL)",
    "EvaluationInterval": "EvaluationInterval",
    "WarmUpConfiguration": "WarmUpConfiguration",
    "ActionConfiguration": "ActionConfiguration",
    "ActionsSuppressor": "ActionsSuppressor",
}
"""What CloudWatch knows and this runtime does not."""


def check_metric_alarm(parameters: Mapping[str, Any]) -> None:
    """Nothing when the alarm can be kept and evaluated.

    Raises:
        ApiError: it cannot.
    """
    _check_common(parameters)
    if "WallClockWindow" in parameters.get("EvaluationWindow", {}):
        raise _not_here("WallClockWindow")
    for name in ("ComparisonOperator", "EvaluationPeriods", "Threshold"):
        if parameters.get(name) is None:
            raise ApiError("MissingRequiredParameterException", f"The parameter {name} is required.")
    if parameters["ComparisonOperator"] not in COMPARISONS:
        raise _not_here("Anomaly detection")
    if parameters.get("Metrics"):
        _check_metrics(parameters)
    else:
        _check_single(parameters)
    _check_times(parameters)
    _check_option(parameters, "TreatMissingData", TREATMENTS, "breaching, notBreaching, ignore and missing")
    _check_option(parameters, "EvaluateLowSampleCountPercentile", ("evaluate", "ignore"), "evaluate and ignore")
    if "EvaluateLowSampleCountPercentile" in parameters and "ExtendedStatistic" not in parameters:
        raise validation("EvaluateLowSampleCountPercentile may be specified only for an alarm on a percentile")


def check_composite_alarm(parameters: Mapping[str, Any]) -> rules.Rule:
    """The rule of the alarm.

    Raises:
        ApiError: it cannot be kept.
    """
    _check_common(parameters)
    try:
        rule = rules.parse(parameters["AlarmRule"])
    except rules.RuleError as error:
        raise validation(f"AlarmRule must not contain an invalid expression: {error}") from None
    if parameters["AlarmName"] in rules.children(rule):
        raise validation(f"The rule of {parameters['AlarmName']} refers to the alarm itself")
    return rule


def rule_of(settings: Mapping[str, Any]) -> Rule:
    """When the metric alarm with these settings is in ALARM."""
    rank = percentile_rank(settings.get("ExtendedStatistic", ""))
    careful = settings.get("EvaluateLowSampleCountPercentile") == "ignore" and rank is not None
    return Rule(
        comparison=settings["ComparisonOperator"],
        threshold=float(settings["Threshold"]),
        periods=settings["EvaluationPeriods"],
        to_alarm=settings.get("DatapointsToAlarm") or settings["EvaluationPeriods"],
        treat_missing=settings.get("TreatMissingData", "missing"),
        samples_needed=samples_needed(rank) if careful and rank is not None else 0.0,
    )


def _check_common(parameters: Mapping[str, Any]) -> None:
    name = parameters["AlarmName"]
    if not name.isascii() or not name.isprintable():
        raise validation("AlarmName must contain only ASCII characters")
    for member, words in _NOT_HERE.items():
        if parameters.get(member):
            raise _not_here(words)
    for member in ("OKActions", "AlarmActions", "InsufficientDataActions"):
        for arn in parameters.get(member, ()):
            if not re.fullmatch(r"arn:[^:]+:[^:]+:[^:]*:[^:]*:.+", arn):
                raise validation(f"Invalid arn syntax: {arn}")


def _check_single(parameters: Mapping[str, Any]) -> None:
    for name in ("MetricName", "Namespace", "Period"):
        if parameters.get(name) is None:
            raise ApiError("MissingRequiredParameterException", f"The parameter {name} is required.")
    if ("Statistic" in parameters) == ("ExtendedStatistic" in parameters):
        raise ApiError(
            "InvalidParameterCombinationException",
            "Exactly one of the parameters Statistic and ExtendedStatistic is needed",
        )
    extended = parameters.get("ExtendedStatistic")
    if extended is not None and percentile_rank(extended) is None:
        raise ApiError(
            "InvalidParameterValueException", f"The value {extended} for parameter ExtendedStatistic is not supported."
        )
    dimensions(parameters, "Alarm")


def _check_metrics(parameters: Mapping[str, Any]) -> None:
    both = [name for name in _SINGLE if name in parameters]
    if both:
        raise ApiError(
            "InvalidParameterCombinationException",
            f"The parameters Metrics and {both[0]} are mutually exclusive and you have specified both.",
        )
    queries = parameters["Metrics"]
    if sum(each.get("ReturnData") is not False for each in queries) != 1:
        raise validation("Exactly one element of the metrics list should return data.")
    if len(queries) > _MOST_METRICS:
        raise validation(f"An alarm may have at most {_MOST_METRICS} metrics and expressions")
    if len({each["Id"] for each in queries}) != len(queries):
        raise validation("The values for parameter id in Metrics are not unique")
    periods = {each["MetricStat"]["Period"] for each in queries if "MetricStat" in each}
    if len(periods) > 1:
        raise validation("All metrics of an alarm must have the same period")
    for each in queries:
        if ("MetricStat" in each) == ("Expression" in each):
            raise validation(f"Exactly one of MetricStat and Expression is needed (metric {each['Id']})")
        if "MetricStat" in each:
            check_statistic(each["MetricStat"]["Stat"])
            continue
        try:
            parse(each["Expression"])
        except ExpressionError as error:
            raise validation(f"Error in expression '{each['Id']}': {error}") from None


def _check_times(parameters: Mapping[str, Any]) -> None:
    period, periods = period_s(parameters), parameters["EvaluationPeriods"]
    if period not in _SHORT_PERIODS_S and period % 60:
        raise validation("Period must be 10, 20, 30 or a multiple of 60")
    if periods * period > (7 * _DAY_S if period >= _LONG_PERIOD_S else _DAY_S):
        raise validation(
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400), or more "
            "than a week for periods of an hour and more."
        )
    if (parameters.get("DatapointsToAlarm") or 1) > periods:
        raise validation("DatapointsToAlarm must be less than or equal to EvaluationPeriods")


def _check_option(parameters: Mapping[str, Any], name: str, known: tuple[str, ...], words: str) -> None:
    value = parameters.get(name)
    if value is not None and value not in known:
        raise validation(f"Option {value} is not supported. Supported options for parameter {name} are {words}.")


def _not_here(words: str) -> ApiError:
    return validation(f"{words} is not supported by this local runtime")
