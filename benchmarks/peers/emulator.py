"""The AWS Lambda Runtime Interface Emulator out of the aws-sam-cli package, with the real awslambdaric."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.common import install, load
from benchmarks.common.memory import tree_mb
from benchmarks.common.processes import Server, free_port, listens
from benchmarks.peers import lambda_handlers

PACKAGES = ("aws-sam-cli==1.170.0", "awslambdaric==4.2.2", "boto3")


class Emulator:
    """One emulator process is one function."""

    name = "AWS emulator (RIE)"

    def __init__(self) -> None:
        self._python = self._binary = self._folder = Path()
        self._server: Server | None = None
        self.target = load.Target(0, "/2015-03-31/functions/function/invocations")

    def install(self) -> None:
        """Makes its environment."""
        self._python = install.python_environment("sam", PACKAGES) / "bin/python"
        (self._binary,) = self._python.parents[1].glob("lib/*/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64")
        self._folder = lambda_handlers.write(install.CACHE / "sam" / "handlers")

    def start(self, handler: str = "app.handler") -> None:
        """Starts it; the function itself starts with the first request."""
        port, inner = free_port(), free_port()
        self._server = Server(
            [
                self._binary, "--log-level", "error", "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
                "--runtime-api-address", f"127.0.0.1:{inner}", self._python, "-m", "awslambdaric", handler,
            ],
            self._folder,
            install.CACHE / "sam" / "rie.log",
            LAMBDA_TASK_ROOT=str(self._folder), AWS_LAMBDA_FUNCTION_NAME="function", AWS_REGION="us-east-1",
            AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x",
        )  # fmt: skip
        self._server.wait_until(lambda: listens(port))
        self.target = load.Target(port, self.target.path)

    def cold(self, handler: str, body: bytes) -> float:
        """The seconds from starting the emulator to the first answer."""
        started = time.perf_counter()
        self.start(handler)
        load.one(self.target, body)
        taken = time.perf_counter() - started
        self.stop()
        return taken

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._server is not None and self._server.process.poll() is None

    def memory_mb(self) -> float:
        """Of the emulator and its function."""
        assert self._server is not None
        return tree_mb(self._server.process.pid)

    def stop(self) -> None:
        """Ends it."""
        if self._server is not None:
            self._server.stop()
            self._server = None
