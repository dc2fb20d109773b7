"""A change goes from git to a watched release: wholly served when it is good, taken back when it is not."""

from __future__ import annotations

from scripts.load import served
from scripts.workshop import Workshop
from tests.e2e import given, then, when


def test_a_good_change_takes_over_and_a_bad_one_is_taken_back(workshop: Workshop) -> None:
    """v2 shifts under load without one failed request; v3 raises on some orders, and the canary goes back by itself."""
    given.servers(workshop)
    given.waits(workshop, 4, 1)
    given.a_first_version(workshop)

    workshop.apply("2-currency.patch")
    workshop.commit("Say the currency")
    with when.customers_order(workshop, when.KNOWN_COUPON, when.UNKNOWN_COUPON) as answers:
        run = when.the_pipeline_runs(workshop)
    assert run.returncode == 0, run.stdout + run.stderr
    then.the_alias_is_wholly_on(workshop, "2")
    assert [answer for answer in answers if answer.problem] == []
    assert set(served(answers)) == {"1", "2"}

    workshop.apply("3-fiver.patch")
    workshop.commit("A coupon worth five euro")
    with when.customers_order(workshop, when.KNOWN_COUPON, when.UNKNOWN_COUPON) as answers:
        run = when.the_pipeline_runs(workshop)
    assert run.returncode == 1, run.stdout + run.stderr
    then.the_alias_is_wholly_on(workshop, "2")
    harmed = [answer for answer in answers if answer.problem]
    assert {answer.version for answer in harmed} == {"3"}
    assert len(harmed) < len(answers) / 5
    kinds = [event.kind for event in then.events(workshop, then.execution(workshop, "3")["id"])]
    assert kinds.index("AlarmFired") < kinds.index("RolledBack")
    why = workshop.penstock("why")
    assert why.returncode == 0
    assert "orders-errors" in why.stdout
