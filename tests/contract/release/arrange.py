"""Bringing a service under contract into the state that a test begins with."""

from __future__ import annotations

import base64
import hashlib
import io
import time
import zipfile
from collections.abc import Callable
from typing import TypeVar

from deploy.ports import FunctionSettings, FunctionState, LambdaApi
from tests.contract.release.services import ROLE

T = TypeVar("T")

SETTINGS = FunctionSettings(
    handler="app.handler", runtime="python3.11", environment={"LEVEL": "one"}, description="A test", role=ROLE
)


def code(text: str = "1", body: str = "pass") -> bytes:
    """A zip whose handler does `body`, then answers `text`."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        source = f"def handler(event, context):\n    {body}\n    return {text!r}\n"
        archive.writestr(zipfile.ZipInfo("app.py"), source)
    return raw.getvalue()


def sha256(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def ready(api: LambdaApi, name: str, version: str | None = None) -> FunctionState:
    """The function once it is Active and updated."""
    return until(
        lambda: api.function(name, version),
        lambda found: found is not None and (found.state, found.last_update_status) == ("Active", "Successful"),
    )


def until(look: Callable[[], T | None], wanted: Callable[[T | None], bool]) -> T:
    """What `look` gives once it is `wanted`."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = look()
        if wanted(found) and found is not None:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come true")


def create(api: LambdaApi, name: str, content: bytes | None = None) -> None:
    api.create_function(name, SETTINGS, content or code())
    ready(api, name)


def publish(api: LambdaApi, name: str, content: bytes) -> str:
    api.update_code(name, content, ("x86_64",))
    ready(api, name)
    version = api.publish_version(name, sha256(content))
    ready(api, name, version)
    return version


def two_versions(api: LambdaApi, name: str, body: str = "pass") -> None:
    """Versions 1 and 2, which answer their number."""
    create(api, name, code("1", body))
    assert api.publish_version(name, sha256(code("1", body))) == "1"
    ready(api, name, "1")
    assert publish(api, name, code("2", body)) == "2"
