"""Asking the engine over HTTP with nothing but the standard library; its errors become ours again."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

from app import announce
from app.settings import Settings
from core import errors
from core.errors import InvalidInput, PenstockError, Unavailable
from core.source import Diagnostic, Location

TIMEOUT_S = 60.0
NOT_UP = "the engine does not answer"
HINT = "start it with `penstock up`"


class NotUp(Unavailable):
    """No engine took the request; nothing has happened."""


class Client:
    """The API of the engine at `port`."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def get(self, path: str, **query: object) -> Any:
        """The document at `path`; query values that are None are left out.

        Raises:
            PenstockError: what the engine answered, as its own class.
            NotUp: there is no engine.
        Unavailable: it stopped answering.
        """
        given = {name: value for name, value in query.items() if value is not None}
        with self._asked("GET", path + ("?" + urlencode(given) if given else ""), None) as response:
            return json.loads(response.read())

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The answer to `body`. Raises as `get`."""
        with self._asked("POST", path, body) as response:
            return json.loads(response.read())

    @contextmanager
    def stream(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Iterator[Iterator[Any]]:
        """The documents of an NDJSON stream as they come. Raises as `get`, also when the stream breaks off."""
        with self._asked(method, path, body) as response:
            yield _documents(response)

    @contextmanager
    def _asked(self, method: str, path: str, body: Mapping[str, Any] | None) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_S)
        payload = None if body is None else json.dumps(body).encode()
        try:
            connection.connect()
        except OSError as problem:
            raise NotUp(NOT_UP, why=str(problem), hint=HINT) from None
        try:
            connection.request(method, path, payload, self._headers)
            response = connection.getresponse()
            if response.status >= 400:
                raise _error(response.read(), response.status)
            yield response
        except (OSError, http.client.HTTPException) as problem:
            why = str(problem) or type(problem).__name__
            raise Unavailable("the engine stopped answering", why=why, hint=HINT) from None
        finally:
            connection.close()


def connect(here: Settings) -> Client | None:
    """A client of this home's engine; None when no engine says that it is there."""
    said = announce.read(here.announcement("engine"))
    if said is None:
        return None
    try:
        token = here.token_file.read_text("utf-8").strip()
    except OSError:
        return None
    return Client(said.port, token)


def part(text: str) -> str:
    """`text` as one segment of a path."""
    return quote(text, safe="")


def _documents(response: http.client.HTTPResponse) -> Iterator[Any]:
    while line := response.readline():
        if not line.endswith(b"\n"):
            break
        yield json.loads(line)


def _error(raw: bytes, status: int) -> PenstockError:
    """The engine's answer as the error it was there."""
    try:
        data = json.loads(raw)["error"]
        kind = getattr(errors, data["class"], PenstockError)
    except (ValueError, KeyError, TypeError):
        return Unavailable(f"the engine answered with HTTP {status}", hint="see logs/engine.log")
    known = kind if isinstance(kind, type) and issubclass(kind, PenstockError) else PenstockError
    texts = {name: str(data.get(name, "")) for name in ("where", "why", "hint")}
    if known is InvalidInput and data.get("diagnostics"):
        return InvalidInput(data["what"], **texts, diagnostics=[_diagnostic(item) for item in data["diagnostics"]])
    return known(data["what"], **texts)


def _diagnostic(data: Mapping[str, Any]) -> Diagnostic:
    place = Location(data["file"], data["line"], data["column"])
    return Diagnostic(place, data["what"], data["where"], data["hint"], data["severity"])
