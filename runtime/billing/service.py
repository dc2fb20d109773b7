"""`GET /_penstock/cost`: the cost report as JSON."""

from __future__ import annotations

import json
import math
from urllib.parse import parse_qs

from core.clock import Clock
from runtime.billing.report import document, rows
from runtime.http import Request, Response
from runtime.metrics.store import Metrics

PATH = "/_penstock/cost"
_SINCE_S = 86_400.0


class CostService:
    """One of the dispatcher's services. Parameters: `from`, `to` (epoch seconds), `function` (a name)."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock

    def matches(self, request: Request, service: str) -> bool:  # noqa: ARG002  (every service is asked alike)
        """Whether the request is for the report."""
        return request.path == PATH

    def handle(self, request: Request) -> Response:
        """The report, or what is wrong with the question."""
        if request.method != "GET":
            return _answer(405, {"message": "ask with GET"})
        given = {name: values[-1] for name, values in parse_qs(request.query).items()}
        now = self._clock.now().timestamp()
        try:
            end = float(given.get("to", now))
            start = float(given.get("from", end - _SINCE_S))
        except ValueError:
            return _answer(400, {"message": "from and to are epoch seconds"})
        if not (math.isfinite(start) and math.isfinite(end) and start < end):
            return _answer(400, {"message": "from must be before to"})
        name = given.get("function")
        found = self._metrics.used(int(start), math.ceil(end))
        wanted = [(use, usage) for use, usage in found if name in {None, use.function}]
        return _answer(200, document(rows(wanted), start, end))


def _answer(status: int, body: object) -> Response:
    return Response(status, (("Content-Type", "application/json"),), json.dumps(body).encode())
