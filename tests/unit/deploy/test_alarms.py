"""Alarms as written: names and inline ones, and every mistake in them."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.analysis.alarms import MetricAlarm, NamedAlarm, from_data, read, to_data

INLINE = {"name": "errors", "metric": "ErrorRate", "threshold": 5}


def test_a_name_and_an_inline_alarm_are_read() -> None:
    alarms, problems = read(["pager", {**INLINE, "periodSeconds": 10, "evaluationPeriods": 3, "minimumInvocations": 9}])

    assert problems == []
    assert alarms == (
        NamedAlarm("pager"),
        MetricAlarm("errors", "ErrorRate", 5, 10, evaluation_periods=3, datapoints_to_alarm=3, minimum_invocations=9),
    )
    assert tuple(from_data(to_data(alarm)) for alarm in alarms) == alarms


def test_a_number_that_a_variable_stood_for_arrives_as_text() -> None:
    alarms, problems = read([{**INLINE, "threshold": "2.5", "periodSeconds": "60"}])

    assert problems == []
    assert alarms == (MetricAlarm("errors", "ErrorRate", 2.5, 60),)


@pytest.mark.parametrize(
    ("item", "path", "said"),
    [
        ({**INLINE, "perodSeconds": 1}, "alarms[0].perodSeconds", "did you mean 'periodSeconds'?"),
        ({**INLINE, "metric": "ErorRate"}, "alarms[0].metric", "did you mean 'ErrorRate'?"),
        ({**INLINE, "threshold": "nan"}, "alarms[0].threshold", "a number"),
        ({**INLINE, "periodSeconds": 0}, "alarms[0].periodSeconds", "at least 1"),
        ({**INLINE, "periodSeconds": 2}, "alarms[0].periodSeconds", "no periods of 2 seconds"),
        ({**INLINE, "periodSeconds": 90}, "alarms[0].periodSeconds", "no periods of 90 seconds"),
        ({**INLINE, "threshold": "five"}, "alarms[0].threshold", "not 'five'"),
        ({**INLINE, "periodSeconds": True}, "alarms[0].periodSeconds", "whole number"),
        ({**INLINE, "periodSeconds": 1.5}, "alarms[0].periodSeconds", "whole number"),
        ({**INLINE, "datapointsToAlarm": 2}, "alarms[0].datapointsToAlarm", "more than evaluationPeriods"),
        ({**INLINE, "treatMissingData": "breach"}, "alarms[0].treatMissingData", "did you mean 'breaching'?"),
        ({**INLINE, "treatMissingData": ["x"]}, "alarms[0].treatMissingData", "use one of"),
        ({"name": "errors"}, "alarms[0]", "'metric' is missing"),
        ({**INLINE, "name": ""}, "alarms[0].name", "1 to 255"),
        ("", "alarms[0]", "1 to 255"),
        (7, "alarms[0]", "a name or a mapping"),
    ],
)
def test_a_mistake_is_told_with_its_path(item: Any, path: str, said: str) -> None:
    alarms, problems = read([item])

    assert alarms == ()
    assert any(found == path and said in f"{what} {hint}" for found, what, hint in problems), problems


def test_names_are_unique_and_at_most_ten() -> None:
    _, problems = read([f"alarm-{number}" for number in range(11)] + ["alarm-0"])

    assert [path for path, _, _ in problems] == ["alarms[11]", "alarms"]
