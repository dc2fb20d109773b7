"""Layers with external extensions in them, written in Python, that tell their log what they are told."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Mapping

PYTHON = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin") or ""
"""The interpreter that extensions find inside a sandbox; empty when this machine has none there."""

_CLIENT = """#!{python}
import http.client, json, os, signal, sys, threading, time
NAME = os.path.basename(sys.argv[0])
API = os.environ["AWS_LAMBDA_RUNTIME_API"]
def say(*words):
    print(NAME + ":", *words, flush=True)
def call(method, path, body=None, **headers):
    connection = http.client.HTTPConnection(API)
    named = {{name.replace("_", "-"): value for name, value in headers.items()}}
    connection.request(method, path, json.dumps(body) if body is not None else None, named)
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read().decode()
def register(*events):
    status, headers, body = call(
        "POST", "/2020-01-01/extension/register", {{"events": events}}, Lambda_Extension_Name=NAME)
    say("registered", status, body)
    return headers["Lambda-Extension-Identifier"]
def next_event(me):
    status, headers, body = call("GET", "/2020-01-01/extension/event/next", Lambda_Extension_Identifier=me)
    return json.loads(body)
def report(me, kind, error_type):
    return call("POST", "/2020-01-01/extension/" + kind + "/error", {{}}, Lambda_Extension_Identifier=me,
        Lambda_Extension_Function_Error_Type=error_type)[0]
def subscribe(me, **wish):
    return call("PUT", "/2022-07-01/telemetry", {{"schemaVersion": "2022-12-13", **wish}},
        Lambda_Extension_Identifier=me)
"""

WATCHER = """
me = register("INVOKE", "SHUTDOWN")
while True:
    event = next_event(me)
    say(event["eventType"], event.get("requestId", ""), event.get("shutdownReason", ""))
    if event["eventType"] == "SHUTDOWN":
        sys.exit(0)
"""
"""An extension that says each event it gets."""


def extension(body: str) -> str:
    """The file of an extension that does `body`, which may use register, next_event, report, subscribe, call, say."""
    return _CLIENT.format(python=PYTHON) + body


def layer(files: Mapping[str, str], mode: int = 0o755) -> bytes:
    """A layer's zip: path to text."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            archive.writestr(entry, text)
    return buffer.getvalue()
