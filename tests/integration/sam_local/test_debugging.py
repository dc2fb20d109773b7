"""A debugger attached to a function, as an editor does it."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from pathlib import Path

from tests.fakes.sam_application import Application


def test_a_debugger_is_waited_for(tmp_path: Path) -> None:
    """Before the function's own code is loaded; the invocation goes on when it has come."""
    source = "print('loaded')\ndef handler(event, context):\n    return 'answered'\n"
    application = Application(tmp_path / "app", "  Orders: {Type: AWS::Serverless::Function}\n", source)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        application.command("invoke", "Orders", "--debug-port", str(port)),
        cwd=application.folder,
        env=application.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if "Debugger waiting for client" in line:
            break
    assert "loaded" not in seen
    _attach(port)
    rest = process.stdout.read()
    assert process.wait(30) == 0
    assert "loaded" in rest
    assert '"answered"' in rest
    assert application.left_over() == []


def _attach(port: int) -> None:
    """What an editor says to a debugger, as little as it takes."""
    connection = _connected(port)
    stream = connection.makefile("rwb")
    number = 0

    def say(command: str, **arguments: object) -> None:
        nonlocal number
        number += 1
        body = json.dumps({"seq": number, "type": "request", "command": command, "arguments": arguments}).encode()
        stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        stream.flush()

    say("initialize", adapterID="test", clientID="test")
    say("attach", justMyCode=False)
    while True:
        length = 0
        while header := stream.readline().strip():
            if header.lower().startswith(b"content-length"):
                length = int(header.partition(b":")[2])
        message = json.loads(stream.read(length))
        if message.get("event") == "initialized":
            say("configurationDone")
        elif message.get("command") == "configurationDone":
            connection.close()  # which lets the function go on
            return


def _connected(port: int) -> socket.socket:
    end = time.monotonic() + 10
    while True:
        with contextlib.suppress(OSError):
            return socket.create_connection(("127.0.0.1", port))
        assert time.monotonic() < end
        time.sleep(0.05)
