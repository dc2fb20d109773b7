"""The region a command works in: the one named, a profile's, the environment's, or AWS's first."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path

from app.sam_local.problems import LocalError

DEFAULT = "us-east-1"


def region_of(named: str | None, profile: str | None, environ: Mapping[str, str]) -> str:
    """The region.

    Raises:
        LocalError: the profile does not exist.
    """
    if named:
        return named
    if profile:
        return _of_profile(profile, environ) or DEFAULT
    return environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or DEFAULT


def _of_profile(profile: str, environ: Mapping[str, str]) -> str:
    home = Path.home() / ".aws"
    config = configparser.RawConfigParser()
    known = configparser.RawConfigParser()
    config.read(environ.get("AWS_CONFIG_FILE") or home / "config")
    known.read(environ.get("AWS_SHARED_CREDENTIALS_FILE") or home / "credentials")
    section = "default" if profile == "default" else f"profile {profile}"
    if not config.has_section(section) and not known.has_section(profile):
        raise LocalError(f"The config profile ({profile}) could not be found", where="--profile")
    return config.get(section, "region", fallback="")
