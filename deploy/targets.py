"""Where a release goes, as a value: endpoint, region, credentials. Never an `if`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """A Lambda service to release to. `endpoint_url` None means AWS itself, credentials None boto3's own chain."""

    name: str
    region: str
    endpoint_url: str | None = None
    role_arn: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None
    session_token: str | None = None


# resolve(name, spec from pipeline.yaml) → Target; the composition root knows where the embedded runtime listens
Targets = Callable[[str, Mapping[str, Any]], Target]
