"""The Telemetry API of one environment, and the refusal of the Logs API that came before it. Source: reference §2."""

from __future__ import annotations

from collections.abc import Callable

from runtime.environment.extensions.api import refusal
from runtime.environment.extensions.registry import Extension, Refused
from runtime.environment.telemetry.hub import SubscriptionClosed, Telemetry
from runtime.environment.telemetry.subscription import InvalidSubscription, parse
from runtime.http import Request, Response

PATHS = ("/2022-07-01/telemetry", "/2022-07-01/telemetry/")
LOGS_PATH = "/2020-08-15/logs"
_OK = Response(200, (("Content-Type", "application/json"),), b'"OK"')


class TelemetryApi:
    """`identify` finds who asks; `on_subscribed(extension, types)` is told of each subscription."""

    def __init__(
        self,
        telemetry: Telemetry,
        identify: Callable[[Request], Extension],
        on_subscribed: Callable[[Extension, tuple[str, ...]], None],
    ) -> None:
        self._telemetry = telemetry
        self._identify = identify
        self._on_subscribed = on_subscribed

    def handle(self, request: Request) -> Response:
        """The answer to one request."""
        if request.method != "PUT":
            return refusal(405, "MethodNotAllowed", f"{request.method} is not part of the Telemetry API")
        try:
            extension = self._identify(request)
            if request.path == LOGS_PATH:
                return refusal(
                    202, "Logs.NotSupported", "The Logs API is not served here; subscribe to the Telemetry API"
                )
            subscription = parse(request.body)
            self._telemetry.subscribe(extension.name, subscription)
        except Refused as error:
            return refusal(403, error.error_type, error.message)
        except SubscriptionClosed:
            return refusal(403, "Telemetry.SubscriptionClosed", "Telemetry API subscription is closed")
        except InvalidSubscription as error:
            return refusal(400, "ValidationError", str(error))
        self._on_subscribed(extension, subscription.types)
        return _OK
