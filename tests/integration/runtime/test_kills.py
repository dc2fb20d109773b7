"""`kill -9` of the server with a thousand events queued and a poller mid-batch: everything is delivered afterwards."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.fakes.listener import Listener
from tests.fakes.runtime_process import Connection, RuntimeProcess, until
from tests.integration.runtime.polling import counts, mapped, queue

Own = Callable[..., RuntimeProcess]
EVENTS, MESSAGES, SENDERS = 1000, 120, 8
TELLS = """
import time
def handler(event, context):
    records = event.get("Records")
    time.sleep(0.05 if records is None else 0.3)
    tell(*([event["name"]] if records is None else [record["body"] for record in records]))
"""


def environments(server: RuntimeProcess) -> list[int]:
    """Processes that run functions, or are there to: all but the server and the backend of the other services."""
    found = []
    for pid in server.descendants():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if b"runtime.gateway.backend" not in command:
            found.append(pid)
    return found


def send_all(server: RuntimeProcess, names: list[str]) -> None:
    """An asynchronous event for each name, accepted."""

    def send(share: list[str]) -> None:
        connection = Connection(server.port)
        for name in share:
            headers = {"X-Amz-Invocation-Type": "Event"}
            status, _, _ = connection.invoke("tells", json.dumps({"name": name}).encode(), **headers)
            accepted.append(status)
        connection.close()

    accepted: list[int] = []
    threads = [threading.Thread(target=send, args=(names[start::SENDERS],)) for start in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert accepted == [202] * len(names)


def kept(server: RuntimeProcess) -> int:
    """How many accepted events are on disk."""
    with sqlite3.connect(f"file:{server.home}/events.db?mode=ro", uri=True) as database:
        return int(database.execute("SELECT count(*) FROM events").fetchone()[0])


def is_event(name: str) -> bool:
    """Whether it is an asynchronous event (and not a message of a queue)."""
    return name.startswith("event-")


def counted(told: Counter[str]) -> str:
    """How many events and messages these are."""
    events = sum(map(is_event, told))
    return f"{events} events and {len(told) - events} messages"


@pytest.mark.slow
def test_all_are_delivered_after_kills_and_no_environment_is_left(
    own_server: Own, listener: Listener, capsys: pytest.CaptureFixture[str]
) -> None:
    server = own_server("--max-environments", "8")
    url, jobs = queue(server, "jobs", 5)
    source = listener.source(TELLS)
    server.create("tells", source, Timeout=5)
    server.create("works", source, Timeout=5)
    events = [f"event-{number}" for number in range(EVENTS)]
    messages = [f"message-{number}" for number in range(MESSAGES)]

    def say(text: str) -> None:
        with capsys.disabled():
            print(f"\n{text}", end="")  # noqa: T201  (the figures are what this test is for)

    def under_way(least: int) -> bool:
        return sum(map(is_event, listener.heard)) >= least and counts(server, url)[1] > 0

    sqs = server.client("sqs")
    for start in range(0, MESSAGES, 10):
        entries = [{"Id": name, "MessageBody": name} for name in messages[start : start + 10]]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    mapped(server, "works", jobs, BatchSize=2, ScalingConfig={"MaximumConcurrency": 2})
    send_all(server, events)
    for kill, least in enumerate((1, 300), 1):
        until(partial(under_way, least), 60)
        on_disk = kept(server)
        assert server.kill() == -9
        say(f"kill {kill}: {on_disk} events on disk, {counted(listener.told)} delivered; a batch of messages under way")
        until(lambda: environments(server) == [])
        server.start()
    expected = set(events) | set(messages)
    until(lambda: expected <= set(listener.heard) and kept(server) == 0, 120)
    until(lambda: counts(server, url) == (0, 0), 60)
    assert set(listener.heard) == expected
    twice = Counter({name: times for name, times in listener.told.items() if times > 1})
    say(f"{len(expected)} delivered and none lost; more than once: {counted(twice)}")
    server.stop()
    assert server.descendants() == []
