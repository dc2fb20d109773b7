"""Percentages to routing and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from deploy.traffic.weights import Routing, additional_weights, from_data, from_weights, to_data, toward


def test_ten_percent_is_the_share_of_the_additional_version() -> None:
    routing = toward("1", "2", 10)

    assert (routing.version, additional_weights(routing)) == ("1", {"2": 0.1})
    assert (routing.weight_pct("2"), routing.weight_pct("1"), routing.weight_pct("3")) == (10, 90, 0)


def test_a_hundred_percent_is_the_new_version_alone_with_the_routing_cleared() -> None:
    assert toward("1", "2", 100) == Routing("2")
    assert additional_weights(Routing("2")) == {}


def test_an_additional_version_without_weight_is_no_split() -> None:
    assert from_weights("1", {"2": 0.0}) == Routing("1")


def test_a_routing_reads_like_a_sentence() -> None:
    assert str(toward("1", "2", 10)) == "90 % version 1, 10 % version 2"
    assert str(Routing("2")) == "100 % version 2"


@given(st.integers(1, 10000))
def test_a_weight_survives_the_way_to_the_service_and_back(hundredths: int) -> None:
    routing = toward("1", "2", hundredths / 100)

    assert from_weights(routing.version, additional_weights(routing)) == routing
    assert from_data(to_data(routing)) == routing
    assert routing.weight_pct("2") == hundredths / 100
