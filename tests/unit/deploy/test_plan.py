"""From wanted and observed to instructions: nothing when nothing differs, and no more than what differs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput, NotAllowed
from deploy.observe import Observed
from deploy.plan import (
    Change,
    CreateAlias,
    CreateFunction,
    PublishVersion,
    ShiftTraffic,
    UpdateCode,
    UpdateConfiguration,
    Wanted,
    plan,
)
from deploy.ports import AliasState, FunctionSettings, FunctionState
from deploy.show import render
from deploy.traffic.strategy import parse
from deploy.traffic.weights import Routing, toward

ROLE = "arn:aws:iam::123456789012:role/penstock"
SETTINGS = FunctionSettings("app.handler", "python3.11", environment={"LEVEL": "one"}, role=ROLE)
STEPS = parse("Canary10Percent5Minutes")
WANTED = Wanted("orders", "live", SETTINGS, "sha-2", STEPS)


def version(number: str, code: str, settings: FunctionSettings = SETTINGS) -> FunctionState:
    return FunctionState("orders", number, settings, code)


def observed(latest: str, *codes: str, live: Routing | None = None) -> Observed:
    versions = tuple(version(str(number), code) for number, code in enumerate(codes, 1))
    alias = AliasState("live", live, "r-1") if live else None
    return Observed(version("$LATEST", latest), versions, alias)


def test_nothing_there_means_create_publish_and_point_the_alias() -> None:
    assert plan(WANTED, Observed()) == (
        CreateFunction("orders", SETTINGS, "sha-2"),
        PublishVersion("orders", "sha-2"),
        CreateAlias("orders", "live", None),
    )


def test_other_code_is_uploaded_published_and_shifted_to() -> None:
    assert plan(WANTED, observed("sha-1", "sha-1", live=Routing("1"))) == (
        UpdateCode("orders", "sha-2", ("x86_64",)),
        PublishVersion("orders", "sha-2"),
        ShiftTraffic("orders", "live", "1", None, STEPS),
    )


def test_the_same_code_and_configuration_wholly_live_is_nothing_to_do() -> None:
    assert plan(WANTED, observed("sha-2", "sha-1", "sha-2", live=Routing("2"))) == ()
    assert render(()) == []


def test_a_version_published_earlier_is_shifted_to_without_touching_the_function() -> None:
    assert plan(WANTED, observed("sha-3", "sha-2", "sha-3", live=Routing("2"))) == (
        ShiftTraffic("orders", "live", "2", "1", STEPS),
    )


def test_of_equal_versions_the_newest_is_meant() -> None:
    assert plan(WANTED, observed("sha-2", "sha-2", "sha-1", "sha-2", live=Routing("2"))) == (
        ShiftTraffic("orders", "live", "2", "3", STEPS),
    )


def test_latest_already_up_to_date_but_unpublished_is_only_published() -> None:
    assert plan(WANTED, observed("sha-2", "sha-1", live=Routing("1"))) == (
        PublishVersion("orders", "sha-2"),
        ShiftTraffic("orders", "live", "1", None, STEPS),
    )


def test_another_configuration_is_updated_and_published() -> None:
    settings = replace(SETTINGS, memory_mb=512, environment={"LEVEL": "two", "KEY": "secret"})
    instructions = plan(replace(WANTED, settings=settings), observed("sha-2", "sha-2", live=Routing("1")))

    assert instructions[0] == UpdateConfiguration(
        "orders",
        settings,
        (
            Change("memory_mb", "128", "512"),
            Change("environment.KEY", "not set", "set"),
            Change("environment.LEVEL", "another value", "set"),
        ),
    )
    assert [type(item) for item in instructions[1:]] == [PublishVersion, ShiftTraffic]


def test_a_printed_plan_shows_changes_but_no_values_of_variables() -> None:
    settings = replace(SETTINGS, timeout_s=9, environment={"LEVEL": "hush-hush"})
    lines = render(plan(replace(WANTED, settings=settings), observed("sha-1", "sha-1", live=Routing("1"))))

    assert lines[0] == "update the configuration of orders"
    assert "    timeout_s: 3 -> 9" in lines
    assert lines[-1] == "shift orders:live from version 1 to the new version: 10 %, wait 5 m 00 s, 100 %"
    assert "hush" not in "".join(lines)


def test_another_architecture_needs_the_code_again() -> None:
    settings = replace(SETTINGS, architectures=("arm64",))

    instructions = plan(replace(WANTED, settings=settings), observed("sha-2", "sha-2", live=Routing("1")))

    assert instructions[0] == UpdateCode("orders", "sha-2", ("arm64",))


def test_a_role_nobody_asked_for_is_left_alone() -> None:
    wanted = replace(WANTED, settings=replace(SETTINGS, role=""))

    assert plan(wanted, observed("sha-2", "sha-2", live=Routing("1"))) == ()


def test_creating_a_function_needs_a_role_and_an_update_does_not() -> None:
    wanted = replace(WANTED, settings=replace(SETTINGS, role=""))

    with pytest.raises(InvalidInput, match="needs a role"):
        plan(wanted, Observed())
    (create, *_) = plan(replace(wanted, role_for_new=ROLE), Observed())
    assert isinstance(create, CreateFunction)
    assert create.settings.role == ROLE


def test_an_alias_that_somebody_left_split_is_refused_with_the_way_out() -> None:
    with pytest.raises(NotAllowed, match="split between two versions already") as caught:
        plan(WANTED, observed("sha-1", "sha-1", "sha-0", live=toward("1", "2", 10)))
    assert "--to 1" in caught.value.hint


codes = st.sampled_from(["sha-1", "sha-2", "sha-3"])


@given(codes, st.lists(codes, max_size=4), st.integers(0, 4), codes)
def test_carrying_out_a_plan_leaves_nothing_to_do(latest: str, published: list[str], live: int, code: str) -> None:
    routing = Routing(str(live)) if 0 < live <= len(published) else None
    before = observed(latest, *published, live=routing)
    wanted = replace(WANTED, code_sha256=code)

    after = carried_out(before, plan(wanted, before), code)

    assert plan(wanted, after) == ()


def carried_out(before: Observed, instructions: tuple[object, ...], code: str) -> Observed:
    """What the target looks like after the instructions."""
    after, published = before, ""
    for item in instructions:
        if isinstance(item, UpdateCode | CreateFunction):
            after = replace(after, function=version("$LATEST", code))
        elif isinstance(item, PublishVersion):
            published = str(len(after.versions) + 1)
            after = replace(after, versions=(*after.versions, version(published, code)))
        elif isinstance(item, CreateAlias):
            after = replace(after, alias=AliasState("live", Routing(item.version or published), "r-2"))
        elif isinstance(item, ShiftTraffic):
            after = replace(after, alias=AliasState("live", Routing(item.to_version or published), "r-2"))
    return after
