"""The server's HTTP, with what clients do that libraries hide."""

from __future__ import annotations

import json
import socket

import pytest
from botocore.exceptions import ClientError

from tests.fakes.runtime_process import Connection, RuntimeProcess, client


def exchange(server: RuntimeProcess, data: bytes, answers: int = 1) -> bytes:
    """What the server sends back to `data` until so many answers began, or it closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(data)
        received = b""
        while received.count(b"HTTP/1.1 ") < answers or not received.endswith((b"}", b"\r\n\r\n", b"]", b"1", b"2")):
            more = connection.recv(65536)
            if not more:
                break
            received += more
        return received


def request(path: str, body: bytes, *headers: str) -> bytes:
    """An HTTP/1.1 POST."""
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def test_pipelined_requests_are_answered_in_order(server: RuntimeProcess) -> None:
    server.create("pipe", "import time\ndef handler(e, c):\n    time.sleep(e['sleep'])\n    return e['n']\n")
    path = "/2015-03-31/functions/pipe/invocations"
    data = request(path, b'{"n": 1, "sleep": 0.2}') + request(path, b'{"n": 2, "sleep": 0}')
    received = exchange(server, data, 2)
    bodies = [part.rpartition(b"\r\n\r\n")[2] for part in received.split(b"HTTP/1.1 ")[1:]]
    assert bodies == [b"1", b"2"]


def test_a_request_that_asks_to_close_is_closed(server: RuntimeProcess) -> None:
    received = exchange(server, request("/2015-03-31/functions/none/invocations", b"{}", "Connection: close"), 99)
    assert b"Connection: close" in received


def test_a_client_that_waits_for_100_continue_gets_it(server: RuntimeProcess) -> None:
    server.create("waits")
    head = request("/2015-03-31/functions/waits/invocations", b"12", "Expect: 100-continue")
    received = exchange(server, head, 2)
    assert received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_what_is_no_http_is_refused_and_the_server_goes_on(server: RuntimeProcess) -> None:
    assert exchange(server, b"\x16\x03\x01 nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert server.client().list_functions()["Functions"] is not None


def test_a_client_that_leaves_during_an_invocation_harms_nobody(server: RuntimeProcess) -> None:
    server.create("left", "import time\ndef handler(e, c):\n    time.sleep(e.get('sleep', 0))\n    return 1\n")
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(request("/2015-03-31/functions/left/invocations", b'{"sleep": 0.3}'))
    assert Connection(server.port).invoke("left")[2] == b"1"


def test_every_answer_has_a_request_id_and_errors_their_type(server: RuntimeProcess) -> None:
    status, headers, body = Connection(server.port).request("GET", "/2015-03-31/functions/none")
    assert status == 404
    assert headers["x-amzn-errortype"] == "ResourceNotFoundException"
    assert len(headers["x-amzn-requestid"]) == 36
    assert json.loads(body) == {
        "Type": "User",
        "Message": "Function not found: arn:aws:lambda:us-east-1:123456789012:function:none",
    }


def test_an_operation_that_is_not_served_is_named(server: RuntimeProcess) -> None:
    status, _, body = Connection(server.port).request("GET", "/2020-04-22/code-signing-configs/x/functions")
    assert status == 501
    assert json.loads(body)["message"] == "ListFunctionsByCodeSigningConfig is not implemented by this local runtime"


def test_a_service_that_is_not_served_is_named(server: RuntimeProcess) -> None:
    with pytest.raises(ClientError, match="The service imagebuilder is not answered by this local runtime"):
        client("imagebuilder", server.url).list_images()


def test_a_path_outside_the_code_store_is_not_served(server: RuntimeProcess) -> None:
    for path in ("/_code/../catalog.db", "/_code/..%2fcatalog.db", "/_code/x.zip"):
        assert Connection(server.port).request("GET", path)[0] in {404, 400}


def test_a_client_that_sends_no_more_still_gets_its_answer(server: RuntimeProcess) -> None:
    server.create("halfway", "import time\ndef handler(e, c):\n    time.sleep(0.2)\n    return 1\n")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request("/2015-03-31/functions/halfway/invocations", b"{}"))
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while more := connection.recv(65536):
            received += more
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert received.endswith(b"\r\n\r\n1")


def test_an_offer_to_change_protocols_is_ignored(server: RuntimeProcess) -> None:
    server.create("upgrades")
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA")
    path = "/2015-03-31/functions/upgrades/invocations"
    received = exchange(server, request(path, b"1", *offer) + request(path, b"2"), 2)
    assert [part.rpartition(b"\r\n\r\n")[2] for part in received.split(b"HTTP/1.1 200 OK")[1:]] == [b"1", b"2"]


@pytest.mark.parametrize("head", [b"GET / HTTP/1.1\r\nX-Long: ", b"GET /"], ids=["header", "address"])
def test_a_head_without_end_is_refused(server: RuntimeProcess, head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head)
        with pytest.raises(ConnectionError):
            connection.sendall(b"x" * 50_000_000)
    assert server.client().list_functions()["Functions"] is not None


def test_many_requests_behind_a_slow_one_are_all_answered_in_order(server: RuntimeProcess) -> None:
    server.create("queue", "import time\ndef handler(e, c):\n    time.sleep(e)\n    return 1\n")
    path = "/2015-03-31/functions/queue/invocations"
    bad = request(path, b"NaN")
    received = exchange(server, request(path, b"0.3") + bad * 2000 + request(path, b"0"), 2002)
    statuses = [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", *[b"400"] * 2000, b"200"]


def test_json_that_is_nested_too_deeply_is_the_clients_mistake(server: RuntimeProcess) -> None:
    server.create("deep")
    body = b"[" * 100_000
    received = exchange(server, request("/2015-03-31/functions/deep/invocations", body))
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"InvalidRequestContentException" in received
    received = exchange(server, request("/2015-03-31/functions", body))
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"SerializationException" in received
