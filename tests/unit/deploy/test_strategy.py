"""Deployment configurations, however they are written, become steps."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.traffic.strategy import PREDEFINED, Step, describe, parse


@pytest.mark.parametrize(
    ("written", "steps"),
    [
        ("CodeDeployDefault.LambdaAllAtOnce", (Step(100),)),
        ("AllAtOnce", (Step(100),)),
        ("CodeDeployDefault.LambdaCanary10Percent5Minutes", (Step(10, 300), Step(100))),
        ("LambdaCanary10Percent5Minutes", (Step(10, 300), Step(100))),
        ("Canary20Percent30Seconds", (Step(20, 30), Step(100))),
        ("Linear50PercentEvery1Minute", (Step(50, 60), Step(100))),
        ("Linear40PercentEvery10Seconds", (Step(40, 10), Step(80, 10), Step(100))),
        (["1%", "wait 2m", "10%", "wait 5m", "100%"], (Step(1, 120), Step(10, 300), Step(100))),
        (["100%", "wait 10s", "wait 5s"], (Step(100, 15),)),
        (["0.5%", "100%"], (Step(0.5), Step(100))),
    ],
)
def test_a_configuration_has_these_steps(written: str | list[str], steps: tuple[Step, ...]) -> None:
    assert parse(written) == steps


def test_linear_ten_percent_reaches_a_hundred_after_nine_intervals() -> None:
    steps = parse("CodeDeployDefault.LambdaLinear10PercentEvery1Minute")

    assert [step.weight_pct for step in steps] == [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
    assert sum(step.wait_s for step in steps) == 9 * 60


def test_a_bake_time_waits_after_the_last_step() -> None:
    assert parse("AllAtOnce", bake_s=30) == (Step(100, 30),)


@pytest.mark.parametrize("name", PREDEFINED)
def test_every_predefined_name_works_with_and_without_its_prefix(name: str) -> None:
    assert parse(f"CodeDeployDefault.{name}") == parse(name) == parse(name.removeprefix("Lambda"))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("CodeDeployDefault.LambdaCanary20Percent5Minutes", "no predefined configuration"),
        ("CodeDeployDefault.OneAtATime", "no predefined configuration"),
        ("Cannary10Percent5Minutes", "did you mean 'Canary10Percent5Minutes'"),
        ("Canary0Percent5Minutes", "from 1 to 99"),
        ("Canary100Percent5Minutes", "from 1 to 99"),
        ("Canary10Percent0Minutes", "longer than nothing"),
        ("Canary10Percent2881Minutes", "the longest allowed"),
        ("Linear1PercentEvery30Minutes", "the longest allowed"),
        ([], "is empty"),
        (["wait 5s", "100%"], "a percentage before it"),
        (["10%", "5%", "100%"], "must grow"),
        (["10%", "wait 5s"], "must be 100 %"),
        (["10%", "soon", "100%"], "step 2 ('soon')"),
        (["10%", "wait soon", "100%"], "step 2 ('wait soon')"),
        (["0.001%", "100%"], "finer than a hundredth"),
        (["0%", "100%"], "must grow"),
        (["150%"], "not a percentage"),
    ],
)
def test_a_mistake_is_refused_with_its_reason(written: str | list[str], said: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(written)
    assert said in str(caught.value)


@given(st.text(max_size=60) | st.lists(st.text(max_size=12), max_size=6))
def test_any_text_gives_steps_or_a_value_error(written: str | list[str]) -> None:
    try:
        steps = parse(written)
    except ValueError:
        return
    assert steps[-1].weight_pct == 100


@given(st.integers(1, 99), st.integers(1, 28))
def test_linear_weights_grow_by_the_percentage_and_end_with_the_remainder(percentage: int, minutes: int) -> None:
    steps = parse(f"Linear{percentage}PercentEvery{minutes}Minutes")

    weights = [0.0, *(step.weight_pct for step in steps)]
    rises = [after - before for before, after in pairwise(weights)]
    assert weights[-1] == 100
    assert all(rise == percentage for rise in rises[:-1])
    assert 0 < rises[-1] <= percentage
    assert steps[-1].wait_s == 0


@given(st.lists(st.integers(1, 9999), min_size=1, unique=True), st.lists(st.integers(0, 300), min_size=1))
def test_a_written_list_of_steps_is_read_back_as_it_was_meant(hundredths: list[int], waits: list[int]) -> None:
    weights = [*sorted(number / 100 for number in hundredths), 100.0]
    meant = [Step(weight, float(waits[index % len(waits)])) for index, weight in enumerate(weights)]
    written = [text for step in meant for text in (f"{step.weight_pct}%", f"wait {step.wait_s}s")]

    if sum(step.wait_s for step in meant[:-1]) <= 2880 * 60:
        assert parse(written) == tuple(meant)


def test_steps_read_like_a_sentence() -> None:
    assert describe(parse(["10%", "wait 30s", "100%"])) == "10 %, wait 30 s, 100 %"
