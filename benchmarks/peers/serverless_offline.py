"""serverless-offline: a Lambda endpoint on Node that runs Python functions in a process per overlapping request."""

from __future__ import annotations

import os
import platform
import shutil
import time
from pathlib import Path

from benchmarks.common import install, load
from benchmarks.common.memory import tree_mb
from benchmarks.common.processes import Server, free_port, listens
from benchmarks.peers import lambda_handlers

PACKAGES = ("serverless@3.40.0", "serverless-offline@13.10.1")
_HEAD = """service: demo
frameworkVersion: '3'
provider: {{name: aws, runtime: {runtime}}}
plugins: [serverless-offline]
package: {{excludeDevDependencies: false, patterns: ['!**', 'app.py', 'app_boto.py', 'app_js.js']}}
functions:
"""


class ServerlessOffline:
    """One process serves every function of its file."""

    name = "serverless-offline"

    def __init__(self) -> None:
        self._folder = Path()
        self._server: Server | None = None
        self.start_s = 0.0
        self.target = load.Target(0, "/2015-03-31/functions/demo-dev-f0/invocations")

    def install(self) -> None:
        """Makes its folder."""
        self._folder = install.npm_packages("serverless", PACKAGES)
        lambda_handlers.write(self._folder)

    def start(self, handler: str = "app.handler", functions: int = 1) -> None:
        """Starts it with that many functions and waits for its Lambda port."""
        runtime = "python" + ".".join(platform.python_version_tuple()[:2])
        lines = [f"  f{number}: {{handler: {handler}, runtime: {runtime}}}\n" for number in range(functions)]
        (self._folder / "serverless.yml").write_text(_HEAD.format(runtime=runtime) + "".join(lines))
        http, port = free_port(), free_port()
        python = Path(shutil.which("python3") or "python3").resolve().parent
        started = time.perf_counter()
        self._server = Server(
            [
                self._folder / "node_modules/.bin/serverless", "offline", "start", "--httpPort", str(http),
                "--lambdaPort", str(port), "--host", "127.0.0.1",
            ],
            self._folder, self._folder / "offline.log",
            SLS_TELEMETRY_DISABLED="1", SLS_NOTIFICATIONS_MODE="off", SLS_INTERACTIVE_SETUP_ENABLE="0",
            PATH=f"{python}:{os.environ['PATH']}",
        )  # fmt: skip
        self._server.wait_until(lambda: listens(port), 120)
        self.start_s = time.perf_counter() - started
        self.target = load.Target(port, self.target.path)

    def cold(self, handler: str, body: bytes) -> float:
        """The seconds of the first request after the server is up."""
        self.start(handler)
        taken = load.one(self.target, body)
        self.stop()
        return taken

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._server is not None and self._server.process.poll() is None

    def memory_mb(self) -> float:
        """Of the server and every process it started."""
        assert self._server is not None
        return tree_mb(self._server.process.pid)

    def stop(self) -> None:
        """Ends it."""
        if self._server is not None:
            self._server.stop()
            self._server = None
