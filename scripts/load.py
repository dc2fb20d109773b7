"""A load generator: orders sent at a steady rate, with every answer's executed version, error and time kept."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


@dataclass(frozen=True, slots=True)
class Answer:
    """One request: when it was sent (epoch seconds), which version answered, what went wrong; "" is nobody, nothing."""

    at: float
    version: str
    problem: str
    latency_s: float


class Load:
    """Calls `function:qualifier` `rate_per_s` times a second from `threads` threads between `start()` and `stop()`.

    Requests go out on schedule whether or not earlier ones were slow. Nothing is retried: all that was sent is counted.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        function: str,
        qualifier: str,
        events: Iterable[Mapping[str, Any]],
        rate_per_s: float = 60,
        threads: int = 4,
    ) -> None:
        config = Config(retries={"total_max_attempts": 1}, max_pool_connections=threads, read_timeout=30)
        self._client = boto3.client(
            "lambda",
            endpoint_url=environment.get("AWS_ENDPOINT_URL"),
            region_name=environment["AWS_DEFAULT_REGION"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            config=config,
        )
        self._target = {"FunctionName": function, "Qualifier": qualifier}
        self._payloads = itertools.cycle([json.dumps(event).encode() for event in events])
        self._interval_s = threads / rate_per_s
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._answers: list[Answer] = []
        self._threads = [
            threading.Thread(target=self._send, args=(number / rate_per_s,), daemon=True) for number in range(threads)
        ]

    def start(self) -> None:
        """Begins to send."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> list[Answer]:
        """Ends sending; every answer, in the order of sending."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        return sorted(self._answers, key=lambda answer: answer.at)

    def _send(self, offset_s: float) -> None:
        due = time.monotonic() + offset_s
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            due += self._interval_s
            with self._lock:
                payload = next(self._payloads)
            answer = self._invoke(payload)
            with self._lock:
                self._answers.append(answer)

    def _invoke(self, payload: bytes) -> Answer:
        at, started = time.time(), time.monotonic()
        try:
            answer = self._client.invoke(Payload=payload, **self._target)
            body = answer["Payload"].read()
        except (BotoCoreError, ClientError) as error:
            return Answer(at, "", str(error), time.monotonic() - started)
        problem = json.loads(body).get("errorType", "error") if "FunctionError" in answer else ""
        return Answer(at, answer.get("ExecutedVersion", ""), problem, time.monotonic() - started)


def served(answers: Sequence[Answer], since: float = 0, until: float = float("inf")) -> Counter[str]:
    """How many requests each version answered of those sent in [since, until)."""
    return Counter(answer.version for answer in answers if since <= answer.at < until)
