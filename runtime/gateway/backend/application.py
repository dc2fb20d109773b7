"""Moto's server as one WSGI application that only our own server may ask."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask
from moto.moto_server.werkzeug_app import (
    BackendRequest,
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

from runtime.gateway.backend import traces
from runtime.gateway.gateway import PROOF_HEADER

_ENVIRON_KEY = f"HTTP_{PROOF_HEADER.upper().replace('-', '_')}"


class _Services(DomainDispatcherApplication):
    def get_backend_for_host(self, host: str | None) -> Any:
        """As moto, but a service that it does not have is named instead of a crash."""
        found = super().get_backend_for_host(host)
        if found is None and host is not None:
            raise NotImplementedError(f"The service {host.partition('.')[0]} is not answered by this local runtime")
        return found


class _Request(BackendRequest):
    @property
    def want_form_data_parsed(self) -> bool:
        """Not of what is put: S3 keeps it as it is, whatever its type (curl's default is a form's)."""
        return self.method != "PUT" and super().want_form_data_parsed


class Application:
    """`prepare(service)` is called when moto has loaded a service, before its first request."""

    def __init__(self, secret: str, prepare: Callable[[str], None]) -> None:
        self._secret = secret.encode()
        self._prepare = prepare
        self._moto = _Services(self._create)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The answer to one request."""
        if not hmac.compare_digest(environ.pop(_ENVIRON_KEY, "").encode(), self._secret):
            return _answer(start_response, "403 Forbidden", "text/plain", b"Ask the runtime's own endpoint.")
        try:
            with traces.following(environ.get(traces.ENVIRON_KEY, "")):
                answered: Iterable[bytes] = self._moto(environ, start_response)
        except NotImplementedError as error:
            return _not_implemented(environ, start_response, str(error))
        return answered

    def _create(self, service: Any) -> Flask:
        app = create_backend_app(service)
        app.request_class = _Request
        self._prepare(service)
        return app


class _Handler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: whoever asks sees the answer."""


def listen(application: Application) -> BaseWSGIServer:
    """A server on a free port of the loopback interface, one thread for each request."""
    return make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Handler)


def _not_implemented(environ: WSGIEnvironment, start_response: StartResponse, message: str) -> Iterable[bytes]:
    """501, in the form the client reads; SDKs do not try it again."""
    message = message or "The operation is not implemented by moto"
    if "json" in environ.get("CONTENT_TYPE", ""):
        body = json.dumps({"__type": "NotImplementedException", "message": message}).encode()
        return _answer(start_response, "501 Not Implemented", environ["CONTENT_TYPE"], body)
    text = message.replace("&", "&amp;").replace("<", "&lt;")
    error = f"<Code>NotImplemented</Code><Message>{text}</Message>"
    body = f"<ErrorResponse><Error>{error}</Error></ErrorResponse>".encode()
    return _answer(start_response, "501 Not Implemented", "text/xml", body)


def _answer(start_response: StartResponse, status: str, content_type: str, body: bytes) -> Iterable[bytes]:
    start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
    return [body]
