"""Asynchronous invocations: accepted to disk, delivered, tried again, and not lost."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from tests.fakes.listener import Listener
from tests.fakes.runtime_process import RuntimeProcess, until

Own = Callable[..., RuntimeProcess]
TELLS = """
def handler(event, context):
    tell(context.aws_request_id)
    if event.get("fail"):
        raise ValueError("on purpose")
"""


def send(server: RuntimeProcess, name: str, **event: object) -> str:
    """The request id of an accepted event."""
    answer = server.client().invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode())
    assert answer["StatusCode"] == 202
    return str(answer["ResponseMetadata"]["RequestId"])


def test_an_accepted_event_is_delivered_under_its_request_id(own_server: Own, listener: Listener) -> None:
    server = own_server()
    server.create("tells", listener.source(TELLS))
    request_id = send(server, "tells")
    until(lambda: listener.heard == [request_id])


def test_a_failing_event_is_tried_twice_more_with_the_same_request_id(own_server: Own, listener: Listener) -> None:
    server = own_server("--retry-delays", "0.1,0.2")
    server.create("tells", listener.source(TELLS))
    request_id = send(server, "tells", fail=True)
    other = send(server, "tells")
    until(lambda: listener.told == {request_id: 3, other: 1})
    log = server.home.parent / "runtime.log"
    until(lambda: f"event {request_id} for tells given up: RetriesExhausted" in log.read_text())


def test_a_retry_waits_through_a_kill_of_the_server(own_server: Own, listener: Listener) -> None:
    server = own_server("--retry-delays", "1.5,600")
    server.create("tells", listener.source(TELLS))
    request_id = send(server, "tells", fail=True)
    until(lambda: listener.heard == [request_id])
    server.kill()
    server.start()
    until(lambda: len(listener.heard) >= 2)
    assert set(listener.heard) == {request_id}


def test_no_accepted_event_is_lost_when_the_server_is_killed(own_server: Own, listener: Listener) -> None:
    server = own_server()
    server.create("tells", listener.source(TELLS))
    accepted = {send(server, "tells") for _ in range(100)}
    server.kill()
    server.start()
    until(lambda: accepted <= set(listener.heard), 30)


def test_an_event_for_a_function_that_is_gone_is_dropped_with_a_word(own_server: Own, listener: Listener) -> None:
    server = own_server("--retry-delays", "0.5")
    server.create("tells", listener.source(TELLS))
    request_id = send(server, "tells", fail=True)
    until(lambda: listener.heard == [request_id])
    server.client().delete_function(FunctionName="tells")
    log = server.home.parent / "runtime.log"
    until(lambda: f"event {request_id} dropped: Function not found" in log.read_text())


def test_a_flood_of_events_for_one_function_does_not_keep_another_waiting(own_server: Own) -> None:
    server = own_server("--max-environments", "2")
    server.create("floods", "import time\ndef handler(event, context):\n    time.sleep(0.3)\n")
    server.create("answers", "def handler(event, context):\n    return 'at once'\n")
    for _ in range(40):
        send(server, "floods")
    began = time.monotonic()
    answer = server.client().invoke(FunctionName="answers")
    assert json.loads(answer["Payload"].read()) == "at once"
    assert time.monotonic() - began < 3  # the flood takes six seconds
