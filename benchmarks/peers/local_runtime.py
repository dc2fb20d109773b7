"""Penstock's local Lambda: every request goes through the full Lambda API, as boto3 sends it."""

from __future__ import annotations

import io
import json
import platform
import shutil
import sys
import time
import zipfile
from typing import Any

import boto3
from botocore.config import Config

from benchmarks.common import install, load
from benchmarks.common.memory import tree_mb
from benchmarks.common.processes import Server
from benchmarks.peers import lambda_handlers

_ROLE = "arn:aws:iam::123456789012:role/benchmarks"
_ONE_PROCESSOR_MB = 1769
"""The memory that comes with a whole processor: the peers have no limit, and 128 MB would get a fourteenth of one."""
_RUNTIME = "python" + ".".join(platform.python_version_tuple()[:2])


class LocalRuntime:
    """A runtime on a home of its own; one server serves every function."""

    name = "penstock runtime"

    def __init__(self) -> None:
        self._home = install.CACHE / "runtime" / "home"
        self._server: Server | None = None
        self._client: Any = None
        self._port = 0
        self._made = 0
        self._package = _package()

    def install(self) -> None:
        """Nothing more than what is here already."""

    def start(self, functions: int = 1) -> None:
        """Starts it on an empty home with the functions f0, f1, … and waits until they are Active."""
        shutil.rmtree(self._home, ignore_errors=True)
        announce = self._home.with_name("announce.json")
        announce.unlink(missing_ok=True)
        self._server = Server(
            [sys.executable, "-m", "runtime", "--home", self._home, "--announce", announce],
            install.ROOT, self._home.with_name("server.log"),
        )  # fmt: skip
        self._server.wait_until(announce.exists)
        facts = json.loads(announce.read_text())
        self._port = facts["port"]
        self._client = boto3.client(
            "lambda", endpoint_url=facts["url"], region_name="us-east-1", aws_access_key_id="x",
            aws_secret_access_key="x", config=Config(retries={"total_max_attempts": 1}),
        )  # fmt: skip
        self._made = 0
        self.grow(functions)

    def grow(self, functions: int) -> float:
        """The seconds each further function took, until there are `functions`, all Active."""
        first, started = self._made, time.perf_counter()
        for number in range(first, functions):
            self._create(f"f{number}", "app.handler")
        self._made = max(first, functions)
        self._active(f"f{self._made - 1}")
        return (time.perf_counter() - started) / max(1, functions - first)

    def target(self, name: str = "f0") -> load.Target:
        """Where `name` is invoked."""
        return load.Target(self._port, f"/2015-03-31/functions/{name}/invocations")

    def cold(self, handler: str, body: bytes) -> float:
        """The seconds of the first request to a new function with that handler."""
        name = f"cold-{time.monotonic_ns()}"
        self._create(name, handler)
        self._active(name)
        taken = load.one(self.target(name), body)
        self._client.delete_function(FunctionName=name)
        return taken

    def listing(self) -> float:
        """The seconds ListFunctions took for every page."""
        started = time.perf_counter()
        for _ in self._client.get_paginator("list_functions").paginate():
            pass
        return time.perf_counter() - started

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._server is not None and self._server.process.poll() is None

    def memory_mb(self) -> float:
        """Of the server and every environment."""
        assert self._server is not None
        return tree_mb(self._server.process.pid)

    def stop(self) -> None:
        """Ends it."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def _create(self, name: str, handler: str) -> None:
        self._client.create_function(
            FunctionName=name,
            Runtime=_RUNTIME,
            Handler=handler,
            Role=_ROLE,
            Code={"ZipFile": self._package},
            MemorySize=_ONE_PROCESSOR_MB,
        )

    def _active(self, name: str) -> None:
        while self._client.get_function_configuration(FunctionName=name)["State"] != "Active":
            time.sleep(0.002)


def _package() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in lambda_handlers.FILES.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()
