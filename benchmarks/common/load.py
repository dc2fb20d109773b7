"""One HTTP client for every contestant: raw keep-alive sockets, as little of its own time as Python allows."""

from __future__ import annotations

import json
import socket
import statistics
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Target:
    """Where POSTs go."""

    port: int
    path: str
    headers: str = ""
    """Further header lines, each ending with CRLF."""


class Client:
    """One keep-alive connection."""

    def __init__(self, target: Target, timeout_s: float = 60) -> None:
        self._target = target
        self._socket = socket.create_connection(("127.0.0.1", target.port), timeout=timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def request(self, body: bytes) -> bytes:
        """The bytes of a POST of `body`."""
        target = self._target
        return (
            f"POST {target.path} HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\nContent-Type: application/json\r\n"
            f"{target.headers}Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body

    def send(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer.

        Raises:
            OSError: the connection ended.
        """
        self._socket.sendall(request)
        data = b""
        while _HEAD_END not in data:
            data += self._receive()
        head, _, body = data.partition(_HEAD_END)
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if headers.get("transfer-encoding") == "chunked":
            return int(lines[0].split()[1]), self._chunked(body)
        parts, missing = [body], int(headers.get("content-length", "0")) - len(body)
        while missing > 0:
            parts.append(self._receive())
            missing -= len(parts[-1])
        return int(lines[0].split()[1]), b"".join(parts)

    def _chunked(self, data: bytes) -> bytes:
        body = b""
        while True:
            while b"\r\n" not in data:
                data += self._receive()
            size_text, _, data = data.partition(b"\r\n")
            size = int(size_text, 16)
            while len(data) < size + 2:
                data += self._receive()
            body, data = body + data[:size], data[size + 2 :]
            if size == 0:
                return body

    def _receive(self) -> bytes:
        data = self._socket.recv(1 << 20)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        return data

    def close(self) -> None:
        """Ends the connection."""
        self._socket.close()


def one(target: Target, body: bytes) -> float:
    """The seconds one request on a connection of its own took, connecting included.

    Raises:
        SystemExit: the answer is not the body that was sent.
    """
    started = time.perf_counter()
    client = Client(target)
    status, answer = client.send(client.request(body))
    taken = time.perf_counter() - started
    client.close()
    check(status, answer, body)
    return taken


def check(status: int, answer: bytes, body: bytes) -> None:
    """Nothing, when the echo handler answered `body`.

    Raises:
        SystemExit: it did not.
    """
    if status != 200 or json.loads(answer) != json.loads(body):
        raise SystemExit(f"the echo function answered {status}: {answer[:300]!r}")


def in_sequence(target: Target, count: int, body: bytes, warm_up: int = 20) -> list[float]:
    """The seconds of each of `count` requests, one after the other on one connection, after `warm_up` more."""
    client = Client(target)
    request = client.request(body)
    for _ in range(warm_up):
        check(*client.send(request), body)
    taken = []
    for _ in range(count):
        started = time.perf_counter()
        status, answer = client.send(request)
        taken.append(time.perf_counter() - started)
        if status != 200:
            raise SystemExit(f"answered {status}: {answer[:300]!r}")
    client.close()
    return taken


@dataclass(slots=True)
class Crowd:
    """What became of many clients at once."""

    seconds: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    wall_s: float = 0.0

    @property
    def errors(self) -> int:
        """How many requests were not answered with 200."""
        return sum(count for outcome, count in self.outcomes.items() if outcome != "200")

    @property
    def per_second(self) -> float:
        """Good answers per second."""
        return self.outcomes["200"] / self.wall_s


def at_once(target: Target, clients: int, each: int, body: bytes) -> Crowd:
    """`clients` connections that send `each` requests one after the other, all at the same time."""
    crowd, lock, gate = Crowd(), threading.Lock(), threading.Barrier(clients + 1)
    threads = [threading.Thread(target=_member, args=(target, each, body, crowd, lock, gate)) for _ in range(clients)]
    for thread in threads:
        thread.start()
    gate.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    crowd.wall_s = time.perf_counter() - started
    return crowd


def _member(
    target: Target, each: int, body: bytes, crowd: Crowd, lock: threading.Lock, gate: threading.Barrier
) -> None:
    seconds, outcomes = [], Counter[str]()
    gate.wait()
    try:
        client = Client(target, 30)
        request = client.request(body)
        for _ in range(each):
            started = time.perf_counter()
            status, _ = client.send(request)
            seconds.append(time.perf_counter() - started)
            outcomes[str(status)] += 1
        client.close()
    except OSError as problem:
        outcomes[type(problem).__name__] += each - sum(outcomes.values())
    with lock:
        crowd.seconds += seconds
        crowd.outcomes += outcomes


def percentile(seconds: Sequence[float], rank: float) -> float:
    """The nearest-rank percentile in milliseconds."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, round(rank / 100 * (len(ordered) - 1)))] * 1000


def median_ms(seconds: Sequence[float]) -> float:
    """The median in milliseconds."""
    return statistics.median(seconds) * 1000
