"""Triggers in the file: which filters go together, and schedules that can come due."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.fakes.catalog import complaints

HEAD = """
version: 1
name: p
stages:
  - name: Source
    actions: [{name: Checkout, provider: Git, configuration: {repository: .}, outputArtifacts: [Source]}]
  - name: Build
    actions: [{name: Package, provider: CodeBuild, inputArtifacts: [Source]}]
"""
ANY = {"includes": ["**"]}


def said(*triggers: Any) -> list[str]:
    """What is said about a pipeline with these triggers."""
    return complaints(yaml.safe_dump(yaml.safe_load(HEAD) | {"triggers": list(triggers)}))


@pytest.mark.parametrize("push", [{"tags": ANY}, {"branches": ANY}, {"branches": ANY, "filePaths": ANY}])
def test_the_documented_combinations_are_good(push: dict[str, Any]) -> None:
    assert said({"push": push}) == []


@pytest.mark.parametrize(
    ("push", "words"),
    [
        ({}, "a push needs branches or tags"),
        ({"filePaths": ANY}, "filePaths needs branches"),
        ({"tags": ANY, "branches": ANY}, "tags cannot be combined"),
        ({"tags": ANY, "filePaths": ANY}, "tags cannot be combined"),
        ({"branches": {}}, "needs includes or excludes"),
        ({"branches": {"includes": []}}, "needs at least 1"),
        ({"branches": {"includes": list("abcdefghi")}}, "the most is 8"),
        ({"branches": {"includes": ["a" * 256]}}, "256 characters long, the most is 255"),
        ({"branches": {"includes": ["a["]}}, "not closed"),
        ({"branches": {"excludes": ["{a,{b}}"]}}, "nested"),
    ],
)
def test_other_combinations_are_told(push: dict[str, Any], words: str) -> None:
    found = said({"push": push})
    assert len(found) == 1, found
    assert words in found[0]
    assert "triggers[0].push" in found[0]


@pytest.mark.parametrize(
    "schedule",
    [
        {"cron": "0 6 * * MON-FRI"},
        {"cron": "*/5 * * * *", "timezone": "America/New_York", "catchUp": "all"},
        {"cron": "0 0 29 2 *", "timezone": "UTC"},
        {"cron": "0 0 L * *", "catchUp": "none"},
    ],
)
def test_schedules_that_come_due_are_good(schedule: dict[str, Any]) -> None:
    assert said({"schedule": schedule}) == []


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ({"cron": "* * * *"}, "has 5 fields, not 4"),
        ({"cron": "0 * * * * *"}, "has 5 fields, not 6"),
        ({"cron": "@daily"}, "has 5 fields, not 1"),
        ({"cron": "60 * * * *"}, "bad minute"),
        ({"cron": "0 0 * * FUN"}, "bad day-of-week"),
        ({"cron": "0 0 31 2 *"}, "'0 0 31 2 *'"),
        ({"cron": "0 0 * * *", "timezone": "Mars/Olympus"}, "there is no time zone 'Mars/Olympus'; use an IANA name"),
        ({"cron": "0 0 * * *", "timezone": "../../etc/passwd"}, "there is no time zone"),
        ({"cron": "0 0 * * *", "timezone": "Europe"}, "there is no time zone"),
        ({"cron": "0 0 * * *", "catchUp": "some"}, "must be one of latest, all, none"),
    ],
)
def test_schedules_that_cannot_are_told(schedule: dict[str, Any], words: str) -> None:
    found = said({"schedule": schedule})
    assert len(found) == 1, found
    assert words in found[0]


def test_the_same_schedule_twice_is_a_mistake() -> None:
    found = said({"schedule": {"cron": "0 6 * * *"}}, {"schedule": {"cron": "0  6 * * *", "timezone": "UTC"}})
    assert len(found) == 1
    assert "triggers[1]: the same schedule stands above already" in found[0]


def test_a_trigger_is_one_thing() -> None:
    both = {"push": {"tags": ANY}, "schedule": {"cron": "0 6 * * *"}}
    assert "a trigger has one key, push or schedule, not 2" in said(both)[0]
    assert "not 0" in said({})[0]


@pytest.mark.parametrize("kind", ["webhook", "pullRequest"])
def test_triggers_of_other_versions_are_named(kind: str) -> None:
    assert said({kind: {}})[0].endswith(
        f"triggers[0].{kind}: '{kind}' is not supported by this version of Penstock; triggers are push and schedule"
    )
