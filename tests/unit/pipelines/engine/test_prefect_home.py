"""Where a Prefect server lives and how it is told to behave."""

from __future__ import annotations

import json
from pathlib import Path

from pipelines.engine import prefect_home


def test_nobodys_settings_reach_the_server_or_the_client() -> None:
    base = {"PREFECT_API_URL": "https://api.prefect.cloud", "PREFECT_PROFILE": "mine", "PATH": "/bin", "LANG": "C"}
    home = Path("/h/prefect")
    for environment in (
        prefect_home.server_environment(home, base),
        prefect_home.client_environment(home, base),
    ):
        assert "PREFECT_API_URL" not in environment
        assert "PREFECT_PROFILE" not in environment
        assert environment["PATH"] == "/bin"
        assert environment["PREFECT_HOME"].startswith("/h/prefect")
        assert environment["PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"] == "false"


def test_the_server_tells_nobody_about_itself() -> None:
    environment = prefect_home.server_environment(Path("/h"), {})
    assert environment["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert environment["DO_NOT_TRACK"] == "1"
    assert environment["PREFECT_API_DATABASE_CONNECTION_URL"] == "sqlite+aiosqlite:////h/prefect.db"


def test_an_announcement_is_believed_only_when_it_can_be_read(tmp_path: Path) -> None:
    announce = tmp_path / "prefect.json"
    assert prefect_home.announced_url(announce) == ""
    announce.write_text("{")
    assert prefect_home.announced_url(announce) == ""
    announce.write_text(json.dumps({"url": "http://127.0.0.1:1/api"}))
    assert prefect_home.announced_url(announce) == "http://127.0.0.1:1/api"


def test_nobody_answers_means_not_healthy() -> None:
    assert not prefect_home.healthy("")
    assert not prefect_home.healthy("http://127.0.0.1:9/api", timeout_s=0.2)
