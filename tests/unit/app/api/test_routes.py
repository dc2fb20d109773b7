"""What the API answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.api.routes import Routes, application
from app.api.watch import Watch
from pipelines.service import PipelineState, Service
from store.records import ActionStatus
from tests.fakes.asgi import Answer, ask
from tests.fakes.serviced import FILE, TEXT, Bench

Ask = Callable[..., Answer]
START: dict[str, Any] = {"fileText": TEXT, "file": str(FILE), "triggerDetail": "Ada by hand"}


def test_a_start_answers_the_execution(api: Ask) -> None:
    """201, and the execution can be asked for."""
    answer = api("POST", "/v1/executions", {**START, "variables": {"level": "all"}})
    assert answer.status == 201
    execution = answer.document["execution"]
    assert (execution["number"], execution["variables"]) == (1, {"level": "all"})
    assert execution["trigger"] == {"triggerType": "StartPipelineExecution", "triggerDetail": "Ada by hand"}
    tree = api("GET", f"/v1/executions/{execution['id'][:8]}").document
    assert [stage["name"] for stage in tree["stages"]] == ["Source", "Build", "Approve", "Release"]
    assert api("GET", "/v1/executions").document["executions"][0]["id"] == execution["id"]
    assert api("GET", "/v1/pipelines").document["pipelines"][0]["name"] == "orders"


def test_a_start_with_a_known_key_answers_null(api: Ask) -> None:
    """200, and nothing was started."""
    assert api("POST", "/v1/executions", {**START, "key": "k"}).status == 201
    again = api("POST", "/v1/executions", {**START, "key": "k"})
    assert (again.status, again.document) == (200, {"execution": None})


def test_mistakes_in_the_file_come_with_their_places(api: Ask) -> None:
    """400, and everything a client needs to print them."""
    answer = api("POST", "/v1/executions", {**START, "fileText": "name: [\n"})
    assert answer.status == 400
    error = answer.document["error"]
    assert (error["class"], error["exit_code"]) == ("InvalidInput", 2)
    assert error["diagnostics"][0]["file"] == str(FILE)
    assert error["diagnostics"][0]["line"] >= 1


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"{", "no JSON"),
        (b"\xff", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        ([], "body"),
        ({}, "fileText"),
        ({**START, "file": "relative.yaml"}, "file"),
        ({**START, "variables": {"level": 1}}, "variables.level"),
        ({**START, "file_text": "x"}, "file_text"),
        ({**START, "follow": "yes"}, "follow"),
    ],
)
def test_a_body_of_another_shape_is_refused(api: Ask, body: Any, named: str) -> None:
    """400, naming the place."""
    answer = api("POST", "/v1/executions", body)
    assert answer.status == 400
    assert named in answer.document["error"]["what"]


def test_what_is_not_there_is_404(api: Ask) -> None:
    """With exit code 4: executions, addresses, methods."""
    for answer in (api("GET", "/v1/executions/latest"), api("GET", "/v1/nowhere"), api("GET", "/v1/executions/9/why")):
        assert answer.status == 404
        assert answer.document["error"]["exit_code"] == 4
    assert api("DELETE", "/v1/executions").status == 405


def test_numbers_and_words_of_the_query_are_checked(api: Ask) -> None:
    """Rather than ignored."""
    assert api("GET", "/v1/executions?limit=many").status == 400
    assert api("GET", "/v1/executions?status=Nice").status == 400
    assert api("GET", "/v1/executions?status=failed").status == 200


def test_stop_answers_the_execution_and_refuses_twice(api: Ask) -> None:
    """409, exit code 3."""
    api("POST", "/v1/executions", START)
    assert api("POST", "/v1/executions/1/stop", {"reason": "enough"}).document["execution"]["status"] == "Stopping"
    again = api("POST", "/v1/executions/1/stop", b"")
    assert again.status == 409
    assert (again.document["error"]["class"], again.document["error"]["exit_code"]) == ("NotAllowed", 3)


def test_approvals_and_retries_go_through(api: Ask, bench: Bench) -> None:
    """To the service."""
    execution = bench.to_approval()
    assert api("GET", "/v1/status").document["pipelines"][0]["approvals"][0]["action"] == "Sign-off"
    body = {"status": "Rejected", "summary": "no", "answeredBy": "Ada"}
    assert api("POST", "/v1/approvals", body).document["action"]["action"] == "Sign-off"
    bench.settle(execution)
    assert api("POST", "/v1/executions/1/retry", b"").document["execution"]["status"] == "InProgress"
    assert api("POST", "/v1/executions/1/retry", {"mode": "SOME"}).status == 400


def test_plans_and_rollbacks_go_through(api: Ask, bench: Bench) -> None:
    """To the service."""
    bench.to_approval()
    answer = api("POST", "/v1/plans", {"fileText": TEXT, "file": str(FILE)})
    assert answer.document["plans"][0]["lines"] == ["publish a new version"]
    assert api("POST", "/v1/rollbacks", {"function": "orders"}).status == 404


def test_events_and_story(api: Ask, bench: Bench) -> None:
    """The ledger's events, from a sequence number on, and the story told of them."""
    bench.failed_in_build()
    events = api("GET", "/v1/executions/1/events").document["events"]
    assert events[0]["kind"] == "ExecutionStarted"
    later = api("GET", f"/v1/executions/1/events?after={events[0]['seq']}").document["events"]
    assert later == events[1:]
    story = api("GET", "/v1/executions/1/why").document
    assert story["headline"].endswith("because action Build/Lint failed: 3 mistakes in app.py")


def test_the_follow_stream_ends_with_the_execution(api: Ask, bench: Bench) -> None:
    """Events, the tree, and the status at last."""
    bench.failed_in_build()
    answer = api("GET", "/v1/executions/latest/follow")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert {line["type"] for line in answer.lines} == {"event", "execution", "end"}
    assert answer.lines[-1] == {"type": "end", "status": "Failed"}
    last = [line["event"]["seq"] for line in answer.lines if line["type"] == "event"][-1]
    again = api("GET", f"/v1/executions/latest/follow?after={last}")
    assert [line["type"] for line in again.lines] == ["execution", "end"]


def test_the_follow_stream_has_log_lines_when_asked(api: Ask, bench: Bench) -> None:
    """All of them, an unfinished last one too, with the action they are of."""
    execution = bench.failed_in_build()
    log = bench.logs / execution.id / "Build.Lint.1.log"
    log.parent.mkdir(parents=True)
    log.write_bytes("one\ntwö\n".encode() * 30_000 + b"no newline")
    lines = [line for line in api("GET", "/v1/executions/1/follow?logs=1").lines if line["type"] == "log"]
    assert len(lines) == 60_001
    assert lines[1] == {"type": "log", "stage": "Build", "action": "Lint", "attempt": 1, "line": "twö"}
    assert lines[-1]["line"] == "no newline"


class Broken(Service):
    """A service with a mistake of ours in it."""

    def status(self) -> list[PipelineState]:
        """Crashes."""
        raise ZeroDivisionError("a secret detail")


def test_a_crash_of_ours_tells_the_client_nothing(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Not even its message: that goes to the engine's log."""
    watch = Watch(bench.database.changed)
    routes = Routes(Broken(bench.service.ports), watch, dict)
    answer = ask(application(routes, watch, "t"), "GET", "/v1/status", authorization="Bearer t")
    watch.close()
    assert answer.status == 500
    assert "secret" not in answer.body.decode()
    assert answer.document["error"]["hint"] == "see logs/engine.log"
    assert "a secret detail" in caplog.text


def test_statuses_of_actions_are_words_of_aws(api: Ask, bench: Bench) -> None:
    """And what did not run has none."""
    execution = bench.settle(bench.start())
    stages = api("GET", f"/v1/executions/{execution.id}").document["stages"]
    assert stages[0]["actions"][0]["status"] == ActionStatus.IN_PROGRESS.value
    assert stages[1]["actions"][0]["status"] is None
