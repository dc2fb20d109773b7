"""A handler that was forked cannot tell: it is compared to one whose interpreter was started for it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.runtime_process import WHO, RuntimeProcess
from tests.integration.runtime.isolation.calls import FRESH, call, together
from tests.integration.runtime.isolation.views import VIEW

OWN = {
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "_X_AMZN_TRACE_ID", *FRESH,
}  # fmt: skip
"""Variables in which any two functions differ."""


@pytest.fixture(scope="module")
def views(server: RuntimeProcess) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a forked handler sees, and what a fresh one does."""
    server.create("forked", VIEW, MemorySize=1769)
    server.create("fresh", VIEW, MemorySize=1769, Environment={"Variables": FRESH}, Timeout=30)
    return call(server, "forked"), call(server, "fresh")


def test_everything_that_can_be_looked_at_is_the_same(views: tuple[dict[str, Any], dict[str, Any]]) -> None:
    forked, fresh = views
    for view in views:
        view["environment"] = {name: value for name, value in view["environment"].items() if name not in OWN}
        view["bytes environment"] = [name for name in view["bytes environment"] if name not in OWN]
        view["main"]["__loader__"] = view["main"]["__loader__"].partition(" at ")[0]
    assert forked["frames"].pop() == ["<string>", "<module>"], "the one difference at the bottom of the stack"
    further = set(forked.pop("cached path entries")) - set(fresh.pop("cached path entries"))
    assert [entry for entry in further if entry.rpartition("/")[2] not in fresh["modules"]] == [], "of what is imported"
    assert forked == fresh


@pytest.mark.parametrize("aspect", ["modules", "signals", "confined", "descriptors", "flags", "threads"])
def test_the_view_looks_at_something(views: tuple[dict[str, Any], dict[str, Any]], aspect: str) -> None:
    assert views[1][aspect]


def test_what_is_random_differs_between_environments_of_one_template(server: RuntimeProcess) -> None:
    source = """
import os, random, secrets, ssl, tempfile, time, uuid
AT_START = [random.random(), str(uuid.uuid4()), str(uuid.uuid1()), next(tempfile._get_candidate_names()),
            secrets.token_hex(), ssl.RAND_bytes(8).hex(), os.urandom(8).hex(), random.SystemRandom().random()]
def handler(event, context):
    time.sleep(0.5)
    return [WHO, *AT_START]
"""
    server.create("random", source.replace("WHO", WHO), MemorySize=1769)
    seen = together(server, "random", 4)
    environments = {each[0] for each in seen}
    assert len(environments) > 1
    for index in range(1, len(seen[0])):
        assert len({str(each[index]) for each in seen}) == len(environments)


def test_variables_that_only_a_start_heeds_are_heeded(server: RuntimeProcess) -> None:
    source = "import sys\ndef handler(event, context):\n    return [hash('water'), sys.flags.optimize, sys.argv]\n"
    server.create("seeded", source, Environment={"Variables": {"PYTHONHASHSEED": "7", "PYTHONOPTIMIZE": "2"}})
    server.create("seeded-too", source, Environment={"Variables": {"PYTHONHASHSEED": "7"}})
    assert call(server, "seeded")[0] == call(server, "seeded-too")[0]
    assert call(server, "seeded")[1:] == [2, ["/var/runtime/bootstrap.py"]]


def test_time_zone_and_locale_are_the_function_s(server: RuntimeProcess) -> None:
    source = "import time, locale\ndef handler(event, context):\n    return [time.tzname[0], locale.setlocale(0)]\n"
    server.create("there", source, Environment={"Variables": {"TZ": "America/New_York", "LC_ALL": "C.UTF-8"}})
    assert call(server, "there") == ["EST", "C.UTF-8"]
