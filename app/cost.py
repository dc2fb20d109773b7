"""The cost report of the local runtime, asked over HTTP with nothing but the standard library."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlencode

from core.errors import Unavailable

_PATH = "/_penstock/cost"
_TIMEOUT_S = 60.0


def report(port: int, start_s: float, end_s: float, function: str | None) -> dict[str, Any]:
    """The report from `start_s` to `end_s` (epoch seconds), of one function or of all.

    Raises:
        Unavailable: the runtime does not answer.
    """
    query = {"from": start_s, "to": end_s, **({"function": function} if function is not None else {})}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", f"{_PATH}?{urlencode(query)}")
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as problem:
        why = str(problem) or type(problem).__name__
        raise Unavailable("the local runtime does not answer", why=why, hint="see logs/runtime.log") from None
    finally:
        connection.close()
    if answer.status != 200:
        raise Unavailable(f"the local runtime answered with HTTP {answer.status}", hint="see logs/runtime.log")
    found: dict[str, Any] = json.loads(body)
    return found
