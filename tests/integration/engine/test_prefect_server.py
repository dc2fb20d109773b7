"""The Prefect server we ship with really starts: its versions of FastAPI and Prefect fit together."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sqlite3
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from pipelines.engine import prefect_home, prefect_server
from tests.integration.engine.conftest import Server, until


def ask(url: str, method: str, path: str, body: object = None) -> tuple[int, object]:
    """Status and body of one request."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 0, timeout=10)
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, parts.path + path, data, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_it_answers_health_on_loopback_only(server: Server) -> None:
    assert ask(server.url, "GET", "/health") == (200, True)
    assert urlsplit(server.url).hostname == "127.0.0.1"


def test_it_takes_flow_runs(server: Server) -> None:
    _, flow = ask(server.url, "POST", "/flows/", {"name": "a test"})
    assert isinstance(flow, dict)
    status, run = ask(server.url, "POST", "/flow_runs/", {"flow_id": flow["id"], "state": {"type": "PENDING"}})
    assert status == 201
    assert isinstance(run, dict)
    assert run["state_type"] == "PENDING"


def test_it_announces_who_and_where_it_is(server: Server) -> None:
    facts = json.loads(server.announce.read_text())
    assert server.process is not None
    assert facts["pid"] == server.process.pid
    assert facts["url"] == f"http://127.0.0.1:{facts['port']}/api"
    assert facts["started_at"].endswith("Z")


def test_started_again_it_keeps_its_data_and_its_port(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.start()
    url = server.url
    ask(url, "POST", "/flows/", {"name": "kept"})
    assert server.kill(signal.SIGTERM) == 0
    server.start()
    try:
        assert server.url == url
        status, flow = ask(url, "GET", "/flows/name/kept")
        assert status == 200
        assert isinstance(flow, dict)
        assert flow["name"] == "kept"
    finally:
        server.kill()


def test_a_fresh_home_gets_a_copy_of_the_migrated_database(tmp_path: Path, server: Server) -> None:
    assert server.process is not None  # so the template has been made by now
    database = tmp_path / "prefect.db"
    assert prefect_server.prepare_database(database, prefect_server.template_path()) == "copied"
    assert prefect_server.prepare_database(database, prefect_server.template_path()) == "kept"
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM flow_run").fetchone() == (0,)


def test_without_a_template_the_database_is_migrated_and_kept_as_one(tmp_path: Path) -> None:
    home = tmp_path / "prefect"
    announce = tmp_path / "prefect.json"
    environment = prefect_home.server_environment(home, {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")})
    process = subprocess.Popen(prefect_home.server_command(home, announce), env=environment)
    try:
        until(lambda: prefect_home.healthy(prefect_home.announced_url(announce)), "it answers after migrating", 120)
    finally:
        process.terminate()
        process.wait(20)
    (template,) = (tmp_path / "cache" / "penstock").iterdir()
    with sqlite3.connect(template) as connection:
        assert connection.execute("SELECT count(*) FROM flow_run").fetchone() == (0,)
