"""Answers: JSON documents, and errors with the class, sentence, hint and exit code that a client needs."""

from __future__ import annotations

import json
import logging
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from core.errors import InvalidInput, NotAllowed, NotFound, PenstockError, Unavailable

_log = logging.getLogger("penstock.api")
_STATUS = ((InvalidInput, 400), (NotFound, 404), (NotAllowed, 409), (Unavailable, 503))


def document(value: Any, status: int = 200) -> Response:
    """`value` as JSON."""
    return Response(json.dumps(value, separators=(",", ":")), status, media_type="application/json")


def error_document(error: PenstockError) -> dict[str, Any]:
    """What the client needs to print `error` as if it had happened there."""
    known = next(kind for kind in type(error).__mro__ if kind.__module__ == PenstockError.__module__)
    diagnostics = error.diagnostics if isinstance(error, InvalidInput) else ()
    return {
        "error": {
            "class": known.__name__,
            "what": error.what,
            "where": error.where,
            "why": error.why,
            "hint": error.hint,
            "exit_code": error.exit_code,
            "diagnostics": [
                {
                    "file": item.location.file,
                    "line": item.location.line,
                    "column": item.location.column,
                    "severity": item.severity,
                    "where": item.where,
                    "what": item.what,
                    "hint": item.hint,
                }
                for item in diagnostics
            ],
        }
    }


async def on_penstock_error(_request: Request, error: Exception) -> Response:
    """An error of ours, with the HTTP status that fits its class."""
    assert isinstance(error, PenstockError)
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    return document(error_document(error), status)


async def on_http_error(_request: Request, error: Exception) -> Response:
    """No such route, or not with this method."""
    status = getattr(error, "status_code", 500)
    what = "there is no such address" if status == 404 else "this address does not answer that method"
    return document(error_document(NotFound(what)), status)


async def on_disconnect(_request: Request, _error: Exception) -> Response:
    """The client left before it had sent its request; nobody reads the answer."""
    return document(error_document(InvalidInput("the request was not sent to its end")), 400)


async def on_crash(request: Request, error: Exception) -> Response:
    """A mistake of ours: the traceback goes to the engine's log, never to the client."""
    _log.error("%s %s crashed", request.method, request.url.path, exc_info=error)
    return document(error_document(PenstockError("the engine made a mistake", hint="see logs/engine.log")), 500)
