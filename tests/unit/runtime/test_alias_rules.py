"""What an alias may point at, and how it may split its traffic."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from runtime.api.errors import ApiError
from runtime.control.alias_rules import check
from runtime.names import Scope
from tests.unit.runtime.records import version

SCOPE = Scope("123456789012", "us-east-1")
VERSIONS = {
    "$LATEST": version(),
    "1": version("1"),
    "2": version("2"),
    "3": version("3", Role="arn:aws:iam::123456789012:role/other"),
    "4": version("4", DeadLetterConfig={"TargetArn": "arn:aws:sqs:us-east-1:123456789012:q"}),
}


@pytest.mark.parametrize(
    ("number", "weights"),
    [("1", {}), ("$LATEST", {}), ("1", {"2": 0.0}), ("1", {"2": 0.1}), ("2", {"1": 1.0})],
)
def test_allowed(number: str, weights: Mapping[str, float]) -> None:
    check("orders", number, weights, VERSIONS.get, SCOPE)


@pytest.mark.parametrize(
    ("number", "weights", "words"),
    [
        ("9", {}, "Function not found"),
        ("1", {"9": 0.1}, "Function not found"),
        ("$LATEST", {"1": 0.1}, "$LATEST is not supported for an alias pointing to more than 1 version"),
        ("1", {"1": 0.1}, "already included"),
        ("1", {"2": 0.1, "3": 0.1}, "cannot be greater than 1"),
        ("1", {"2": 1.01}, "between 0.0 and 1.0"),
        ("1", {"2": -0.01}, "between 0.0 and 1.0"),
        ("1", {"3": 0.1}, "same execution role"),
        ("1", {"4": 0.1}, "same dead-letter queue"),
    ],
)
def test_refused(number: str, weights: Mapping[str, float], words: str) -> None:
    with pytest.raises(ApiError) as error:
        check("orders", number, weights, VERSIONS.get, SCOPE)
    assert words in error.value.message
