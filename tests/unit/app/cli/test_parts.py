"""Small parts of the command line."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from app import documents
from app.cli import printer
from app.cli.client import Client, NotUp
from app.cli.live import Live, drawn
from app.cli.run import variables
from core.errors import Conflict, InvalidInput, NotAllowed, NotFound, PenstockError, Unavailable
from core.source import Diagnostic, Location
from tests.fakes.serviced import Bench


def test_variables_are_read_from_the_command_line() -> None:
    """The value may hold anything, equals signs too."""
    assert variables(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}


@pytest.mark.parametrize("given", [["a"], ["=1"], ["a=1", "a=2"]])
def test_what_is_no_variable_is_refused(given: list[str]) -> None:
    """Also one that is given twice with different values."""
    with pytest.raises(InvalidInput):
        variables(given)


def test_an_error_is_one_line_and_mistakes_are_one_each(capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is the class's."""
    assert printer.error(NotFound("there is no x", hint="look elsewhere")) == 4
    assert capsys.readouterr().err == "penstock: error: there is no x; look elsewhere\n"
    place = Location("p.yaml", 3, 5)
    assert printer.error(InvalidInput.of([Diagnostic(place, "a"), Diagnostic(place, "b")])) == 2
    assert capsys.readouterr().err == "p.yaml:3:5: error: a\np.yaml:3:5: error: b\n"


def test_a_crash_is_one_line_and_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the traceback in the file."""
    with pytest.raises(ZeroDivisionError) as caught:
        raise ZeroDivisionError("oops")
    assert printer.crash(caught.value, tmp_path / "logs") == 1
    line = capsys.readouterr().err
    assert line.startswith("penstock: error: unexpected ZeroDivisionError: oops; details are in ")
    assert line.count("\n") == 1
    assert "Traceback" in next((tmp_path / "logs").iterdir()).read_text()


@contextmanager
def answering(raw: bytes) -> Iterator[int]:
    """A server that answers `raw` once and closes; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(raw)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        thread.join(5)
        listener.close()


def http(status: str, body: bytes) -> bytes:
    """An HTTP answer."""
    return b"HTTP/1.1 " + status.encode() + b"\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("name", "kind"),
    [("NotAllowed", NotAllowed), ("Conflict", Conflict), ("Sequence", PenstockError), ("x", PenstockError)],
)
def test_errors_of_the_engine_are_ours_again(name: str, kind: type[PenstockError]) -> None:
    """By class name; a name that is no error's is a plain one."""
    body = b'{"error": {"class": "%s", "what": "no", "hint": "try"}}' % name.encode()
    with answering(http("409 Conflict", body)) as port, pytest.raises(kind) as caught:
        Client(port, "t").get("/v1/status")
    assert (type(caught.value), caught.value.what, caught.value.hint) == (kind, "no", "try")


def test_nobody_listens() -> None:
    """The request was not sent, so it may be sent again."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotUp):
        Client(port, "t").get("/v1/status")


@pytest.mark.parametrize("raw", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", b"nonsense\r\n\r\n"])
def test_an_answer_that_breaks_off_is_unavailable(raw: bytes) -> None:
    """But not as if nothing had been sent."""
    with answering(raw) as port, pytest.raises(Unavailable) as caught:
        Client(port, "t").get("/v1/status")
    assert not isinstance(caught.value, NotUp)


def test_the_live_view_shows_stages_actions_and_glyphs(bench: Bench) -> None:
    """As lines of a terminal."""
    screen = io.StringIO()
    view = Live(Console(file=screen, force_terminal=True, width=100))
    tree = documents.tree(bench.service.show(bench.to_approval().id))
    view.item({"type": "execution", "execution": tree})
    view.close()
    shown = screen.getvalue()
    for part in ("orders #1", "✓", "Build", "Sign-off", "penstock approve", "Release"):
        assert part in shown


def test_a_live_line_never_wraps(bench: Bench) -> None:
    """However long an error is: it would tear the picture apart."""
    tree = documents.tree(bench.service.show(bench.failed_in_build().id))
    tree["stages"][1]["actions"][1]["latest"]["error"]["message"] = "long " * 100
    screen = io.StringIO()
    view = Live(Console(file=screen, force_terminal=True, width=60))
    view.item({"type": "execution", "execution": tree})
    view.close()
    assert "…" in screen.getvalue()
    assert any("long" in line.plain for line in drawn(tree, []))


LIGHT = """
import sys
from app.cli.main import main
try:
    main({arguments!r})
except SystemExit:
    pass
heavy = {{"pydantic", "rich", "sqlalchemy", "starlette", "prefect", "boto3", "yaml", "alembic", "uvicorn"}}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["run", "--file", "none.yaml"], ["status"], ["stop", "--help"], ["down"]],
)
def test_a_command_imports_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    """So that it starts at once; what it asks the engine costs nothing here."""
    program = LIGHT.format(arguments=arguments)
    environment = {"PENSTOCK_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stderr.splitlines()[-1] == "[]", done.stderr


def test_printing_is_flushed_line_by_line(capfd: pytest.CaptureFixture[str]) -> None:
    """A pipe sees each line when it is printed."""
    printer.line("one")
    assert capfd.readouterr().out == "one\n"
