"""The API over a service on a real store, asked without a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.api.routes import Routes, application
from app.api.watch import Watch
from tests.fakes.asgi import Answer, ask
from tests.fakes.clocks import noon
from tests.fakes.serviced import Bench

TOKEN = "s3cret-token"

Ask = Callable[..., Answer]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, noon())
    yield made
    made.database.close()


@pytest.fixture
def api(bench: Bench) -> Ask:
    """Asks as somebody who knows the token, unless told otherwise."""

    def request(method: str, path: str, body: Any = b"", **headers: str) -> Answer:
        watch = Watch(bench.database.changed)
        routes = Routes(bench.service, watch, lambda: {"engine": {"state": "running"}})
        given = {"authorization": f"Bearer {TOKEN}", **headers}
        try:
            return ask(application(routes, watch, TOKEN), method, path, body, **given)
        finally:
            watch.close()

    return request
