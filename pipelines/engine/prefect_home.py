"""How a Prefect server is started and reached: commands, environments and the announced address. Imports no Prefect."""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

# Services of the server nobody here asks: no deployments, schedules, pauses, automations or work pools are used.
_UNUSED_SERVICES = (
    "SCHEDULER",
    "LATE_RUNS",
    "FOREMAN",
    "CANCELLATION_CLEANUP",
    "PAUSE_EXPIRATIONS",
    "TRIGGERS",
    "EVENT_LOGGER",
    "EVENT_PERSISTER",
)


def server_command(home: Path, announce: Path) -> list[str]:
    """The command that runs the server of `home` and writes {pid, port, url, started_at} to `announce` when it answers.

    It binds 127.0.0.1, on the port `announce` names from an earlier run when that is free, else on any free port.
    """
    return [sys.executable, "-m", "pipelines.engine.prefect_server", "--home", str(home), "--announce", str(announce)]


def server_environment(home: Path, base: Mapping[str, str]) -> dict[str, str]:
    """`base` with nobody's Prefect settings but ours: own home and database, no analytics, no page, few services."""
    environment = {
        **_without_prefect(base),
        **_common(home),
        "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{home / 'prefect.db'}",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",
        "PREFECT_SERVER_MEMOIZE_BLOCK_AUTO_REGISTRATION": "false",
        "PREFECT_LOGGING_SERVER_LEVEL": "WARNING",
    }
    environment.update({f"PREFECT_SERVER_SERVICES_{name}_ENABLED": "false" for name in _UNUSED_SERVICES})
    return environment


def client_environment(home: Path, base: Mapping[str, str]) -> dict[str, str]:
    """What a process that runs flows needs as its environment before it imports Prefect; the address comes later."""
    return {
        **_without_prefect(base),
        **_common(home),
        "PREFECT_LOGGING_LEVEL": "CRITICAL",  # a failed action is no error of ours; ours the runner tells
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
    }


def announced_url(announce: Path) -> str:
    """The API address (`http://127.0.0.1:<port>/api`) a server announced; "" when none did."""
    try:
        return str(json.loads(announce.read_text("utf-8"))["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def healthy(url: str, *, timeout_s: float = 1.0) -> bool:
    """Whether a server answers `<url>/health` with 200."""
    if not url:
        return False
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=timeout_s)
    try:
        connection.request("GET", f"{parts.path}/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _without_prefect(base: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in base.items() if not name.startswith("PREFECT_")}


def _common(home: Path) -> dict[str, str]:
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_COLORS": "false",
        "PREFECT_CLI_PROMPT": "false",
        "DO_NOT_TRACK": "1",
    }
