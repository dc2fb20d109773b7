"""Servers whose files change: what counts, and from when on."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.fakes.sam_application import Application


def small(folder: Path) -> Application:
    """One function behind one route."""
    return Application(
        folder / "small",
        "  Fn:\n    Type: AWS::Serverless::Function\n    Properties:\n      Environment: {Variables: {LEVEL: one}}\n"
        "      Events: {A: {Type: HttpApi, Properties: {Path: /a, Method: get}}}\n"
        "  Still: {Type: AWS::Serverless::Function, Properties: {CodeUri: still}}\n",
        "import os\ndef handler(event, context):\n    return 'one ' + os.environ['LEVEL']\n",
    )


def test_changed_code_and_templates_count_from_the_next_request_on(tmp_path: Path) -> None:
    """Only the function that changed is made anew; a template with mistakes changes nothing; routes come and go."""
    application = small(tmp_path)
    application.write("still/app.py", "def handler(event, context):\n    return 1\n")
    with application.begin("start-api", "-p", "0") as server:
        assert server.ask("GET", "/a")[2] == b'"one one"'
        for word in ("two", "three", "four"):
            application.write(
                "src/app.py", f"import os\ndef handler(event, context):\n    return '{word} ' + os.environ['LEVEL']\n"
            )
            assert server.ask("GET", "/a")[2] == f'"{word} one"'.encode()
        assert server.log().count("Fn was reloaded") == 3
        assert "Still was reloaded" not in server.log()
        text = (application.folder / "template.yaml").read_text()
        application.write("template.yaml", text.replace("LEVEL: one", "LEVEL: two").replace("Path: /a", "Path: /b"))
        assert server.ask("GET", "/a")[0] == 404
        assert server.ask("GET", "/b")[2] == b'"four two"'
        application.write("template.yaml", "Resources: {")
        assert server.ask("GET", "/b")[2] == b'"four two"'
        assert "the template stays as it was" in server.log()
        assert server.end(signal.SIGTERM) == 0
    assert application.left_over() == []


def test_no_watch_keeps_what_was_there_at_the_start(tmp_path: Path) -> None:
    """--no-watch."""
    application = small(tmp_path)
    with application.begin("start-api", "-p", "0", "--no-watch") as server:
        application.write("src/app.py", "def handler(event, context):\n    return 2\n")
        assert server.ask("GET", "/a")[2] == b'"one one"'


def test_a_function_without_code_does_not_keep_the_others_from_running(tmp_path: Path) -> None:
    """It is told about, and runs as soon as its code is there."""
    application = small(tmp_path)
    with application.begin("start-lambda", "-p", "0") as server:
        assert "no such directory" in server.log()
        path = "/2015-03-31/functions/{}/invocations"
        assert server.ask("POST", path.format("Fn"), b"{}")[2] == b'"one one"'
        assert server.ask("POST", path.format("Still"), b"{}")[0] == 404
