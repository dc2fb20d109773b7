"""The Telemetry API: what may be asked for, what is delivered and when, how platform events are worded."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.environment.extensions.registry import Extension, Refused
from runtime.environment.telemetry import events
from runtime.environment.telemetry.api import PATHS, TelemetryApi
from runtime.environment.telemetry.batch import Backlog
from runtime.environment.telemetry.events import Initialization, Level
from runtime.environment.telemetry.hub import SubscriptionClosed, Telemetry
from runtime.environment.telemetry.platform_log import PlatformLog
from runtime.environment.telemetry.subscription import Buffering, Destination, InvalidSubscription, Subscription, parse
from runtime.http import Request
from runtime.invoke.results import Result

NOW = datetime(2026, 11, 23, 12, 0, 0, 123_456, UTC)
ON_DEMAND = Initialization("on-demand", "init")
ASKED: dict[str, Any] = {
    "schemaVersion": "2022-12-13",
    "types": ["platform", "function"],
    "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:8080/in"},
}


def ask(**changes: Any) -> bytes:
    return json.dumps({**ASKED, **changes}).encode()


def test_what_is_not_asked_for_has_a_default() -> None:
    assert parse(ask()) == Subscription(("platform", "function"), Destination("HTTP", 8080, "/in"), Buffering())


def test_everything_can_be_asked_for() -> None:
    wanted = parse(
        ask(
            destination={"protocol": "TCP", "port": 9000},
            buffering={"maxItems": 2000, "maxBytes": 300_000, "timeoutMs": 25},
        )
    )
    assert wanted.destination == Destination("TCP", 9000)
    assert wanted.buffering == Buffering(2000, 300_000, 0.025)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"schemaVersion": "2020-01-01"}, "schemaVersion should be one of"),
        ({"types": []}, "types should not be empty"),
        ({"types": ["metrics"]}, "unknown types: metrics"),
        ({"destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain"}}, "URI port is not provided"),
        ({"destination": {"protocol": "HTTP", "URI": "http://example.com:80"}}, "URI should start with"),
        ({"destination": {"protocol": "HTTP", "URI": "http://sandbox:99999"}}, "URI is not valid"),
        ({"destination": {"protocol": "HTTP", "URI": "http://sandbox:9001"}}, "port 9001 is reserved"),
        ({"destination": {"protocol": "UDP"}}, "destination should have a protocol"),
        ({"destination": {"protocol": "TCP"}}, "port is not provided"),
        ({"destination": {"protocol": "TCP", "port": True}}, "port should be between"),
        ({"buffering": {"maxItems": 999}}, "maxItems should be between 1000 and 10000"),
        ({"buffering": {"maxBytes": 1}}, "maxBytes should be between 262144 and 1048576"),
        ({"buffering": {"timeoutMs": 24}}, "timeoutMs should be between 25 and 30000"),
        ({"buffering": 5}, "buffering should be an object"),
    ],
)
def test_a_wish_outside_the_rules_is_refused_with_its_reason(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidSubscription, match=problem):
        parse(ask(**changes))


def test_every_mistake_is_reported_at_once() -> None:
    with pytest.raises(InvalidSubscription) as caught:
        parse(ask(types=[], destination={"protocol": "HTTP", "URI": "http://sandbox.localdomain"}))
    assert str(caught.value) == "types should not be empty; URI port is not provided"


@given(st.lists(st.text(max_size=2000), max_size=60), st.integers(1, 9), st.integers(100, 5000))
def test_a_backlog_delivers_in_order_within_its_limits_and_counts_what_it_drops(
    texts: list[str], items: int, size: int
) -> None:
    backlog = Backlog(Buffering(items, size, 1.0))
    for text in texts:
        backlog.add(text)
    delivered: list[str] = []
    while batch := backlog.take():
        assert len(batch) <= items
        assert len(batch) == 1 or sum(map(len, batch)) <= size
        delivered += batch
    dropped, dropped_bytes = backlog.take_dropped()
    assert backlog.size_bytes == 0
    assert len(delivered) + dropped == len(texts)
    assert sum(map(len, delivered)) + dropped_bytes == sum(map(len, texts))
    kept = iter(texts)
    assert all(text in kept for text in delivered)


class Log:
    """A platform log whose lines are kept."""

    def __init__(self, level: Level | None) -> None:
        self.lines: list[str] = []
        self.log = PlatformLog(self.lines.append, lambda: NOW, level, "orders", "3")


def test_a_text_log_words_init_and_invocations_as_lambda_does() -> None:
    text = Log(None)
    text.log.init_start(ON_DEMAND, "python:3.11", "arn:x", "stream", 128)
    text.log.init_runtime_done(ON_DEMAND)
    text.log.extension("watcher", "Ready", ["INVOKE", "SHUTDOWN"], "")
    text.log.extension("broken", "InitError", ["INVOKE"], "Extension.NoConfig")
    text.log.subscribed("watcher", ["platform", "function"])
    text.log.init_report(ON_DEMAND, 12.3)
    text.log.start("r1", "")
    text.log.runtime_done("r1", Result(b"{}"), 1.0, "")
    text.log.report("r1", Result(b"{}", duration_ms=1.234, init_ms=10.0, used_mb=30), 128, "")
    assert text.lines == [
        "INIT_START Runtime Version: python:3.11\tRuntime Version ARN: arn:x",
        "EXTENSION\tName: watcher\tState: Ready\tEvents: [INVOKE,SHUTDOWN]",
        "EXTENSION\tName: broken\tState: InitError\tEvents: [INVOKE]\tError Type: Extension.NoConfig",
        "TELEMETRY\tName: watcher\tState: Subscribed\tTypes: [Platform, Function]",
        "START RequestId: r1 Version: 3",
        "END RequestId: r1",
        (
            "REPORT RequestId: r1\tDuration: 1.23 ms\tBilled Duration: 12 ms\tMemory Size: 128 MB\t"
            "Max Memory Used: 30 MB\tInit Duration: 10.00 ms\t"
        ),
    ]


def told(level: Level) -> list[str]:
    json_log = Log(level)
    json_log.log.init_start(ON_DEMAND, "", "", "stream", 128)
    json_log.log.init_runtime_done(ON_DEMAND, "error", "Runtime.ExitError")
    json_log.log.init_report(Initialization("provisioned-concurrency", "init"), 1.0)
    json_log.log.start("r1", "")
    json_log.log.runtime_done("r1", Result(b"{}"), 1.0, "")
    json_log.log.report("r1", Result(b"", "Runtime.ExitError", "error"), 128, "")
    return [json.loads(line)["type"] for line in json_log.lines]


def test_a_json_log_has_the_events_of_its_level() -> None:
    warnings = ["platform.initRuntimeDone", "platform.report"]
    assert told(Level.WARN) == warnings
    assert told(Level.INFO) == ["platform.initRuntimeDone", "platform.initReport", "platform.start", "platform.report"]
    assert len(told(Level.DEBUG)) == 6


def test_a_json_report_has_its_metrics() -> None:
    json_log = Log(Level.INFO)
    json_log.log.report("r1", Result(b"{}", duration_ms=1.23456, init_ms=10.0, used_mb=30), 128, "Root=1-2")
    assert json.loads(json_log.lines[0]) == {
        "time": "2026-11-23T12:00:00.123Z",
        "type": "platform.report",
        "record": {
            "requestId": "r1",
            "status": "success",
            "metrics": {
                "durationMs": 1.235,
                "billedDurationMs": 12,
                "memorySizeMB": 128,
                "maxMemoryUsedMB": 30,
                "initDurationMs": 10.0,
            },
            "tracing": {"type": "X-Amzn-Trace-Id", "value": "Root=1-2"},
        },
    }


class Listener:
    """An extension's HTTP listener."""

    def __init__(self, answers: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") -> None:
        self.answers = answers
        self.received: list[Any] = []
        self.port = 0

    async def __aenter__(self) -> Listener:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().partition("content-length:")[2].split()[0])
        self.received += json.loads(await reader.readexactly(length))
        writer.write(self.answers)
        await writer.drain()
        writer.close()


def wish(port: int, *types: str, protocol: str = "HTTP") -> Subscription:
    return Subscription(types, Destination(protocol, port), Buffering(timeout_s=0.01))


def test_a_subscriber_is_told_of_its_types_and_of_the_init_before_it_came() -> None:
    async def run() -> None:
        async with Listener() as listener:
            telemetry = Telemetry(lambda: NOW, "127.0.0.1", structured=True)
            telemetry.platform(events.init_runtime_done(ON_DEMAND, "success", ""))
            telemetry.log_line("extension", "hidden")
            telemetry.subscribe("watcher", wish(listener.port, "platform", "function"))
            telemetry.log_line("function", '{"message": "hi"}')
            telemetry.log_line("function", "{not json")
            await telemetry.flush()
            telemetry.close()
        assert [event["type"] for event in listener.received] == ["platform.initRuntimeDone", "function", "function"]
        assert [event["record"] for event in listener.received[1:]] == [{"message": "hi"}, "{not json"]
        assert listener.received[0]["time"] == "2026-11-23T12:00:00.123Z"

    asyncio.run(run())


def test_what_cannot_be_delivered_is_reported_as_dropped() -> None:
    async def run() -> None:
        async with Listener(b"HTTP/1.1 500 No\r\n\r\n") as bad, Listener() as good:
            telemetry = Telemetry(lambda: NOW, "127.0.0.1", structured=False)
            telemetry.subscribe("bad", wish(bad.port, "function"))
            telemetry.subscribe("good", wish(good.port, "platform"))
            telemetry.log_line("function", "lost")
            await telemetry.flush()
            await telemetry.flush()
            telemetry.close()
        (event,) = good.received
        assert event["type"] == "platform.logsDropped"
        assert event["record"]["droppedRecords"] == 1
        assert event["record"]["reason"].startswith("could not send events: ")

    asyncio.run(run())


def test_a_tcp_listener_gets_lines() -> None:
    async def run() -> None:
        lines: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                lines.append(line)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        telemetry = Telemetry(lambda: NOW, "127.0.0.1", structured=False)
        telemetry.subscribe("w", wish(server.sockets[0].getsockname()[1], "function", protocol="TCP"))
        for text in ("one", "two"):
            telemetry.log_line("function", text)
            await telemetry.flush()
        while len(lines) < 2:
            await asyncio.sleep(0.001)
        telemetry.close()
        server.close()
        assert [json.loads(line)["record"] for line in lines] == ["one", "two"]

    asyncio.run(run())


def test_nobody_subscribes_after_init() -> None:
    telemetry = Telemetry(lambda: NOW, "127.0.0.1", structured=False)
    telemetry.close_subscription()
    with pytest.raises(SubscriptionClosed):
        telemetry.subscribe("late", wish(1, "platform"))


def answer(method: str, path: str, body: bytes, *, known: bool = True) -> tuple[int, Any]:
    telemetry = Telemetry(lambda: NOW, "127.0.0.1", structured=False)
    telemetry.close_subscription()

    def identify(_: Request) -> Extension:
        if not known:
            raise Refused("Extension.UnknownExtensionIdentifier", "Unknown extension")
        return Extension("watcher", "1", internal=False)

    api = TelemetryApi(telemetry, identify, lambda _extension, _types: None)
    response = api.handle(Request(method, path, "", {}, body))
    return response.status, json.loads(response.body)["errorType"]


def test_the_telemetry_api_words_its_refusals() -> None:
    assert answer("PUT", PATHS[0], ask(types=[])) == (400, "ValidationError")
    assert answer("PUT", PATHS[0], ask()) == (403, "Telemetry.SubscriptionClosed")
    assert answer("PUT", PATHS[0], ask(), known=False) == (403, "Extension.UnknownExtensionIdentifier")
    assert answer("GET", PATHS[0], b"") == (405, "MethodNotAllowed")
    assert answer("PUT", "/2020-08-15/logs", ask()) == (202, "Logs.NotSupported")
