"""What a function's answer says about its batch."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runtime.pollers.responses import Failed, Partly, Succeeded, verdict

KNOWN = {"m1", "m2", "m3"}


def said(answer: Any) -> Any:
    """The verdict on this answer when items are reported."""
    return verdict(json.dumps(answer).encode(), "", KNOWN, reports_items=True)


@pytest.mark.parametrize(
    "answer", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}, {"anything": "else"}]
)
def test_these_answers_mean_that_everything_is_done(answer: Any) -> None:
    assert said(answer) == Succeeded()


def test_an_empty_payload_means_that_everything_is_done() -> None:
    assert verdict(b"", "", KNOWN, reports_items=True) == Succeeded()


@pytest.mark.parametrize(
    "answer",
    [
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"itemIdentifier": 7}]},
        {"batchItemFailures": [{"ItemIdentifier": "m1"}]},
        {"batchItemFailures": [{}]},
        {"batchItemFailures": ["m1"]},
        {"batchItemFailures": {"itemIdentifier": "m1"}},
        {"batchItemFailures": "m1"},
        {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "unknown"}]},
        "done", 1, True, ["m1"],
    ],
)  # fmt: skip
def test_these_answers_mean_that_nothing_is_done(answer: Any) -> None:
    assert isinstance(said(answer), Failed)


def test_what_is_not_json_means_that_nothing_is_done() -> None:
    assert isinstance(verdict(b"{", "", KNOWN, reports_items=True), Failed)


def test_the_items_named_are_not_done_and_the_others_are() -> None:
    answer = {"batchItemFailures": [{"itemIdentifier": "m3"}, {"itemIdentifier": "m1"}, {"itemIdentifier": "m1"}]}
    assert said(answer) == Partly(frozenset({"m1", "m3"}))


def test_an_error_means_that_nothing_is_done_whatever_the_answer_says() -> None:
    payload = b'{"batchItemFailures": []}'
    assert verdict(payload, "ValueError", KNOWN, reports_items=True) == Failed("ValueError")
    assert verdict(payload, "ValueError", KNOWN, reports_items=False) == Failed("ValueError")


@pytest.mark.parametrize("payload", [b"{", b'{"batchItemFailures": [{"itemIdentifier": "m1"}]}', b'"x"', b""])
def test_without_reported_items_the_answer_means_nothing(payload: bytes) -> None:
    assert verdict(payload, "", KNOWN, reports_items=False) == Succeeded()
