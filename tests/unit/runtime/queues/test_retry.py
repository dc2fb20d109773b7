"""When an asynchronous event is tried again, and when it is given up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.queues.delivery import Later, Lost
from runtime.queues.delivery import after_failure as after_failed_delivery
from runtime.queues.retry import Again, GiveUp, Rules, after_function_error, after_refusal, before_invoking


def test_the_function_is_retried_twice_after_one_and_two_minutes() -> None:
    steps = [after_function_error(failures, 0, Rules()) for failures in (1, 2, 3)]
    assert steps == [Again(60.0), Again(120.0), GiveUp("RetriesExhausted")]


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_as_many_retries_as_the_configuration_says(retries: int) -> None:
    failures = 1
    while isinstance(after_function_error(failures, 0, Rules(retries=retries)), Again):
        failures += 1
    assert failures - 1 == retries


def test_a_retry_the_event_would_be_too_old_for_is_not_waited_for() -> None:
    rules = Rules(max_age_s=100)
    assert after_function_error(1, 39.9, rules) == Again(60.0)
    assert after_function_error(1, 40, rules) == GiveUp("EventAgeExceeded")


def test_refusals_back_off_from_one_second_to_five_minutes_until_six_hours() -> None:
    delays = [after_refusal(refusals, 0.0, Rules()) for refusals in (1, 2, 3, 9, 10, 50, 5000)]
    assert delays == [Again(wait) for wait in (1.0, 2.0, 4.0, 256.0, 300.0, 300.0, 300.0)]
    assert after_refusal(1, 21_600.0, Rules()) == GiveUp("EventAgeExceeded")


def test_a_refused_event_is_looked_at_when_it_becomes_too_old_and_not_later() -> None:
    assert after_refusal(10, 90, Rules(max_age_s=100)) == Again(10)


def test_a_loop_is_never_tried_again() -> None:
    assert after_refusal(1, 0, Rules(), recursive=True) == GiveUp("RecursiveInvocation")


def test_an_event_is_not_run_when_nothing_is_reserved_or_it_is_too_old() -> None:
    assert before_invoking(0, Rules(), concurrency=None) is None
    assert before_invoking(0, Rules(), concurrency=1) is None
    assert before_invoking(0, Rules(), concurrency=0) == GiveUp("ZeroReservedConcurrency")
    assert before_invoking(60, Rules(max_age_s=60), concurrency=5) == GiveUp("EventAgeExceeded")


@given(
    st.integers(0, 2),
    st.floats(60, 21_600),
    st.lists(st.sampled_from(["fail", "throttle"]), min_size=20, max_size=400),
    st.lists(st.floats(0, 300), min_size=1, max_size=3),
)
def test_every_event_ends_in_time_and_the_function_fails_no_more_often_than_allowed(
    retries: int, max_age_s: float, fates: list[str], delays_s: list[float]
) -> None:
    rules = Rules(retries=retries, max_age_s=max_age_s, delays_s=delays_s)
    age_s, failures, refusals = 0.0, 0, 0
    for fate in fates:
        if before_invoking(age_s, rules, concurrency=None) is not None:
            break
        if fate == "fail":
            failures += 1
            step = after_function_error(failures, age_s, rules)
        else:
            refusals += 1
            step = after_refusal(refusals, age_s, rules)
        if isinstance(step, GiveUp):
            break
        assert step.delay_s >= 0
        age_s += step.delay_s
        assert age_s <= max_age_s
    else:
        assert fates.count("fail") <= retries
    assert failures <= retries + 1


# records on their way -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.NonExistentQueue", "AccessDenied", "NoSuchBucket"])
def test_a_target_that_says_no_is_not_asked_again(code: str) -> None:
    assert after_failed_delivery(1, code, 400, "gone") == Lost("gone")


@pytest.mark.parametrize(("code", "status"), [("", 0), ("InternalFailure", 500), ("Unknown", 503), ("Throttling", 400)])
def test_a_target_that_cannot_answer_is_asked_again_but_not_for_ever(code: str, status: int) -> None:
    steps = [after_failed_delivery(attempts, code, status, "away") for attempts in range(1, 13)]
    assert steps[:3] == [Later(0.5), Later(1.0), Later(2.0)]
    assert all(isinstance(step, Later) and step.delay_s <= 30 for step in steps[:-1])
    assert isinstance(steps[-1], Lost)
