"""Buildbot: one master, one local worker, one builder of four steps; timed from force to finished over its REST API."""

from __future__ import annotations

import http.client
import json
import shutil
import time
from typing import Any

from benchmarks.common import install
from benchmarks.common.processes import Server, free_port, listens
from benchmarks.common.rounds import Sample

PACKAGES = ("buildbot==4.3.0", "buildbot-worker==4.3.0", "buildbot-www==4.3.0")
CONFIGURATION = """
from buildbot.plugins import schedulers, steps, util, worker
c = BuildmasterConfig = {{}}
c["workers"] = [worker.Worker("w1", "pass", max_builds=1)]
c["protocols"] = {{"pb": {{"port": "tcp:{pb}:interface=127.0.0.1"}}}}
c["schedulers"] = [schedulers.ForceScheduler(name="force", builderNames=["four"])]
names = ("source", "build", "test", "deploy")
factory = util.BuildFactory([steps.ShellCommand(name=name, command=["true"]) for name in names])
c["builders"] = [util.BuilderConfig(name="four", workernames=["w1"], factory=factory)]
c["www"] = {{"port": "tcp:{www}:interface=127.0.0.1"}}
c["buildbotURL"] = "http://127.0.0.1:{www}/"
c["db"] = {{"db_url": "sqlite:///state.sqlite"}}
c["buildbotNetUsageData"] = None
"""


class Buildbot:
    """A running buildbot; `once()` forces one build and waits for its end."""

    name = "buildbot (4 steps, force to finished)"

    def __init__(self) -> None:
        self._servers: list[Server] = []
        self._port = 0
        self._connection: http.client.HTTPConnection | None = None

    def start(self) -> None:
        """Starts master and worker and waits until the worker is connected."""
        bin_ = install.python_environment("buildbot", PACKAGES) / "bin"
        work = install.CACHE / "buildbot" / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        pb, self._port = free_port(), free_port()
        install.run([bin_ / "buildbot", "create-master", "master"], work)
        (work / "master/master.cfg").write_text(CONFIGURATION.format(pb=pb, www=self._port))
        install.run([bin_ / "buildbot", "upgrade-master", "master"], work)
        install.run([bin_ / "buildbot-worker", "create-worker", "worker", f"127.0.0.1:{pb}", "w1", "pass"], work)
        master = Server([bin_ / "buildbot", "start", "--nodaemon", "master"], work, work / "master.log")
        self._servers.append(master)
        master.wait_until(lambda: listens(self._port) and listens(pb))
        worker = Server([bin_ / "buildbot-worker", "start", "--nodaemon", "worker"], work, work / "worker.log")
        self._servers.append(worker)
        worker.wait_until(self._worker_is_connected)

    def once(self) -> Sample:
        """One forced build of four `true`s."""
        started = time.perf_counter()
        request = {
            "id": 1,
            "jsonrpc": "2.0",
            "method": "force",
            "params": {"builderNames": ["four"], "reason": "bench"},
        }
        buildset = self._call("POST", "forceschedulers/force", request)["result"][0]
        while True:
            (state,) = self._call("GET", f"buildsets/{buildset}")["buildsets"]
            if state["complete"]:
                break
            time.sleep(0.004)
        if state["results"] != 0:
            raise SystemExit(f"buildbot's build ended with {state['results']}")
        return Sample(time.perf_counter() - started)

    def stop(self) -> None:
        """Ends worker and master."""
        if self._connection is not None:
            self._connection.close()
        while self._servers:
            self._servers.pop().stop()

    def _worker_is_connected(self) -> bool:
        return bool(self._call("GET", "workers")["workers"][0]["connected_to"])

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection = self._connection
        text = None if body is None else json.dumps(body)
        connection.request(method, f"/api/v2/{path}", text, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        data = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise SystemExit(f"buildbot answered {answer.status}: {data[:500]!r}")
        return json.loads(data)
