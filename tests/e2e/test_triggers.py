"""Nobody types `penstock run`: a commit starts an execution, and so does a due time, each of them exactly one."""

from __future__ import annotations

import time
from typing import Any

from scripts.workshop import Workshop
from tests.e2e import given, then, when

ON_COMMIT = """\
version: 1
name: small
executionMode: PARALLEL
triggers:
  - push: {branches: {includes: [main]}}
"""
EVERY_MINUTE = """\
version: 1
name: small
executionMode: PARALLEL
triggers:
  - schedule: {cron: "* * * * *"}
"""
STAGES = """\
stages:
  - name: Source
    actions:
      - {name: Checkout, provider: Git, configuration: {repository: ., branch: main}, outputArtifacts: [Source]}
  - name: Build
    actions:
      - {name: Look, provider: Commands, inputArtifacts: [Source], commands: ["ls"]}
"""


def executions(workshop: Workshop) -> list[dict[str, Any]]:
    """Every execution, newest first."""
    found: list[dict[str, Any]] = workshop.json("list")["executions"]
    return found


def test_a_commit_starts_exactly_one_execution_of_that_commit(workshop: Workshop) -> None:
    """With the hook installed, one commit is one execution, even when the servers were down and are restarted."""
    given.a_pipeline(workshop, ON_COMMIT + STAGES)
    workshop.commit("Begin")
    installed = workshop.penstock("hooks", "install")
    assert installed.returncode == 0, installed.stdout + installed.stderr
    given.servers(workshop)

    first = workshop.commit("While the servers are up")
    then.eventually("one execution", lambda: len(executions(workshop)) == 1)

    workshop.down()
    second = workshop.commit("While the servers are down")
    given.servers(workshop)
    then.eventually("two executions", lambda: len(executions(workshop)) == 2)
    for number in ("1", "2"):
        assert then.it_ends(workshop, number) == "Succeeded"

    workshop.down()
    given.servers(workshop)
    time.sleep(2)  # long enough for a second, wrong start of the same commit
    found = executions(workshop)
    assert len(found) == 2
    revisions = [then.execution(workshop, number)["sourceRevisions"]["Checkout"] for number in ("1", "2")]
    assert revisions == [first, second]


def test_a_due_time_starts_exactly_one_execution(workshop: Workshop) -> None:
    """A schedule that is due starts one execution, whatever is killed meanwhile."""
    given.a_pipeline(workshop, EVERY_MINUTE + STAGES)
    workshop.commit("Begin")
    given.servers(workshop)
    registered = when.the_pipeline_runs(workshop)
    assert registered.returncode == 0, registered.stdout + registered.stderr

    if time.time() % 60 > 50:  # so that the kill below comes after the due time, not before it
        time.sleep(61 - time.time() % 60)
    before = len(executions(workshop))
    due = time.time() - time.time() % 60 + 60
    then.eventually("the due execution", lambda: len(executions(workshop)) == before + 1, timeout_s=75)
    when.killed(workshop, "engine", "runner-1")
    given.servers(workshop)
    while time.time() < due + 10:
        time.sleep(0.5)
        assert len(executions(workshop)) == before + 1
    newest = executions(workshop)[0]
    assert newest["trigger"]["triggerType"] == "Schedule"
    assert then.it_ends(workshop, str(newest["id"])) == "Succeeded"
