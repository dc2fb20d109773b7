"""Which version of Penstock this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def own_version() -> str:
    """The installed version; "unknown" when it runs from files that were never installed."""
    try:
        return version("penstock")
    except PackageNotFoundError:
        return "unknown"
