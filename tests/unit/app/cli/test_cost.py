"""The cost report as people read it."""

from __future__ import annotations

from typing import Any

import pytest

from app import cost as asking
from app.cli.cost import money, shown
from core.errors import Unavailable


@pytest.mark.parametrize(
    ("dollars", "text"),
    [
        (0, "$0.00"),
        (1234.5, "$1,234.50"),
        (0.996, "$1.00"),
        (0.42, "$0.42"),
        (0.000421, "$0.00042"),
        (0.0000021, "$2.1e-06"),
    ],
)
def test_money_is_legible_however_little_it_is(dollars: float, text: str) -> None:
    assert money(dollars) == text


def item(**changes: Any) -> dict[str, Any]:
    """One version's row as the runtime answers it."""
    return {
        "function": "orders", "version": "3", "architecture": "arm64", "memoryMB": 1024, "maxMemoryUsedMB": 60,
        "suggestedMemoryMB": 128, "requests": 12, "errors": 2, "timeouts": 1, "initShare": 0.25, "gbSeconds": 1.5,
        "wasted": 0.001, "cost": 0.02, **changes,
    }  # fmt: skip


def test_each_version_has_a_line_and_the_whole_has_one() -> None:
    total = {
        "requests": 13, "gbSeconds": 2.0, "wasted": 0.001, "cost": 0.03,
        "costOf": {"duration": 0.02, "requests": 0.01, "temporary": 0, "provisioned": 0},
    }  # fmt: skip
    plain = item(architecture="x86_64", version="$LATEST", timeouts=0, errors=0, suggestedMemoryMB=None)
    heading, first, second, last = shown({"functions": [item(), plain], "total": total}, None)
    assert heading.split() == [
        "FUNCTION", "VERSION", "MEMORY", "REQUESTS", "ERRORS", "GB-S", "INIT", "WASTED", "COST", "HINT",
    ]  # fmt: skip
    assert " ".join(first.split()) == (
        "orders 3 1024 MB arm64 12 2 (1 timeouts) 1.500 25 % $0.001 $0.02 used 60 MB at most: 128 MB would hold it"
    )
    assert " ".join(second.split()) == "orders $LATEST 1024 MB 12 0 1.500 25 % $0.001 $0.02"
    assert last == (
        "total $0.03 for 13 requests and 2.000 GB-s (duration $0.02, requests $0.01); $0.001 of it for failures"
    )


def test_nothing_is_said_plainly() -> None:
    assert shown({"functions": []}, "orders") == ["no invocation of orders in that time"]
    assert shown({"functions": []}, None) == ["no invocation in that time"]


def test_a_runtime_that_does_not_answer_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        asking.report(1, 0.0, 1.0, None)
