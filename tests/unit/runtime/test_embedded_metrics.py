"""Metrics in log lines."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.metrics.embedded import embedded

AT = 1_574_109_732.5


def document(**changes: Any) -> dict[str, Any]:
    """The example of the specification."""
    directive = {
        "Namespace": "lambda-function-metrics",
        "Dimensions": [["functionVersion"]],
        "Metrics": [{"Name": "time", "Unit": "Milliseconds"}],
        **changes.pop("directive", {}),
    }
    whole = {"_aws": {"Timestamp": 1574109732004, "CloudWatchMetrics": [directive]}, "functionVersion": "$LATEST"}
    return {**whole, "time": 100, "requestId": "989ffbf8", **changes}


def found(line: str) -> list[tuple[str, str, dict[str, str], str, int, tuple[float, ...]]]:
    """What a line's samples say."""
    return [
        (
            each.key.namespace,
            each.key.name,
            each.key.dimensions,
            each.key.unit,
            each.second,
            tuple(value for value, _ in each.values),
        )
        for each in embedded(line, AT)
    ]


EXAMPLE = ("lambda-function-metrics", "time", {"functionVersion": "$LATEST"}, "Milliseconds", 1574109720, (100.0,))


def test_the_example_of_the_specification_is_a_sample() -> None:
    assert found(json.dumps(document())) == [EXAMPLE]
    assert found("2019-11-18T20:42:12Z 989ffbf8 " + json.dumps(document())) == [EXAMPLE]


def test_every_set_of_dimensions_has_its_own_samples() -> None:
    directive = {"Dimensions": [[], ["functionVersion"], ["functionVersion", "zone"], ["absent"]]}
    places = [each[2] for each in found(json.dumps(document(directive=directive, zone="a")))]
    assert places == [{}, {"functionVersion": "$LATEST"}, {"functionVersion": "$LATEST", "zone": "a"}]


def test_arrays_units_and_resolution() -> None:
    metrics = [{"Name": "time", "StorageResolution": 1}, {"Name": "absent"}, {"Name": "requestId"}]
    ((_, name, _, unit, second, values),) = found(json.dumps(document(directive={"Metrics": metrics}, time=[1, 2.5])))
    assert (name, unit, second, values) == ("time", "None", 1574109732, (1.0, 2.5))


def test_without_a_timestamp_the_lines_own_time_counts() -> None:
    whole = document()
    del whole["_aws"]["Timestamp"]
    assert found(json.dumps(whole))[0][4] == 1574109720


@pytest.mark.parametrize(
    "line",
    [
        "",
        "plain",
        '{"_aws": 3, "CloudWatchMetrics": 1}',
        '{"_aws": {"CloudWatchMetrics": 1}}',
        '{"_aws": {"CloudWatchMetrics": [1, {}, {"Namespace": "a"}]}}',
        json.dumps(document())[:-1],
        json.dumps(document(time="slow")),
        json.dumps(document(time=True)),
        json.dumps(document(time=[1] * 101)),
        json.dumps(document(functionVersion=3)),
        json.dumps(document(directive={"Namespace": ""})),
    ],
)
def test_what_is_no_valid_document_gives_nothing(line: str) -> None:
    assert found(line) == []


_ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3) | st.sampled_from(["time", "functionVersion"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Name", "Metrics", "x"]), inner),
    max_leaves=6,
)


@given(_ANY, _ANY, _ANY)
def test_no_document_makes_it_fail(dimensions: Any, metrics: Any, value: Any) -> None:
    embedded(json.dumps(document(directive={"Dimensions": dimensions, "Metrics": metrics}, time=value)), AT)
