"""How the tests of this folder ask functions."""

from __future__ import annotations

import json
import threading
from typing import Any

from tests.fakes.runtime_process import Connection, RuntimeProcess

FRESH = {"PYTHON_OF_ITS_OWN": "1"}
"""A variable that only an interpreter that starts could heed; so one is started for the handler."""


def ask(server: RuntimeProcess, name: str, event: Any = None) -> Any:
    """The decoded result, or what went wrong."""
    connection = Connection(server.port)
    try:
        return json.loads(connection.invoke(name, json.dumps(event or {}).encode())[2])
    finally:
        connection.close()


def call(server: RuntimeProcess, name: str, event: Any = None) -> Any:
    """The decoded result.

    Raises:
        AssertionError: something went wrong.
    """
    body = ask(server, name, event)
    assert not (isinstance(body, dict) and "errorMessage" in body), body
    return body


def together(server: RuntimeProcess, name: str, count: int, event: Any = None) -> list[Any]:
    """The results of that many invocations at once."""
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(call(server, name, event))) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
