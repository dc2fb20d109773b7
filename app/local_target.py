"""How clients reach the embedded runtime: the region and the credentials it takes."""

from __future__ import annotations

REGION = "us-east-1"
ACCESS_KEY = "penstock"
SECRET_KEY = "penstock-local"  # noqa: S105 - opens nothing: the runtime listens on loopback and checks no keys
