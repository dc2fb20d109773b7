"""Records for tests of the runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.catalog.records import FunctionVersion, State, UpdateStatus

ROLE = "arn:aws:iam::123456789012:role/r"
SETTINGS: Mapping[str, Any] = {
    "Runtime": "python3.11",
    "Role": ROLE,
    "Handler": "app.handler",
    "Description": "",
    "Timeout": 3,
    "MemorySize": 128,
    "SnapStart": {"ApplyOn": "None"},
    "TracingConfig": {"Mode": "PassThrough"},
}


def version(number: str = "$LATEST", *, name: str = "orders", code: str = "AAAA", **settings: Any) -> FunctionVersion:
    """An Active version with these settings over the usual ones."""
    return FunctionVersion(
        name=name,
        version=number,
        settings={**SETTINGS, **settings},
        code_sha256=code,
        code_size=1,
        state=State.ACTIVE,
        last_update=UpdateStatus.SUCCESSFUL,
        revision_id="r1",
        last_modified="2026-01-01T00:00:00.000+0000",
    )
