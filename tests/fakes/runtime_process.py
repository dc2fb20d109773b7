"""The local runtime and a moto server as real processes, and what tests need to talk to them."""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ROLE = "arn:aws:iam::123456789012:role/penstock-tests"
ECHO = "def handler(event, context):\n    return event\n"


def package(source: str = ECHO, **files: str) -> bytes:
    """A zip with `app.py` and further files, the same bytes for the same content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in {"app.py": source, **files}.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()


def client(service: str, url: str) -> Any:
    """A plain boto3 client of `service` at `url` that does not retry."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"total_max_attempts": 1}),
    )


def until(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    """Wait until `condition()` is true.

    Raises:
        AssertionError: it is not in time.
    """
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(0.01)


def who(pid: str = "os.getpid()") -> str:
    """An expression for a handler that has imported os: what tells which process that is; see `host_pid`."""
    return (
        f"' '.join([os.readlink('/proc/self/ns/pid'), str({pid}), "
        f"open('/proc/%d/stat' % {pid}).read().rpartition(')')[2].split()[19]])"
    )


WHO = who()


def host_pid(said: str) -> int | None:
    """The process that calls itself so, as this machine numbers it; None when there is none (any more)."""
    namespace, number, started = said.split()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str((entry / "ns/pid").readlink()) == namespace:
                inner = (entry / "status").read_text().partition("NSpid:")[2].partition("\n")[0].split()[-1]
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if (inner, fields[19]) == (number, started) and fields[0] != "Z":
                    return int(entry.name)
        except OSError:
            continue
    return None


def alive(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _is_ours(pid: int) -> bool:
    """Whether it is a template or was forked from one."""
    try:
        return b"PENSTOCK_RUNTIMES=" in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


class RuntimeProcess:
    """`python -m runtime` on a directory; may be stopped, killed and started again.

    `through` is a command that becomes the one that is given to it: the runtime is started by that.
    """

    def __init__(self, home: Path, *options: str, through: Sequence[str] = ()) -> None:
        self.home = home
        self._options = options
        self._through = through
        self._announce = home.parent / f"{home.name}.json"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.port = 0

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._announce.unlink(missing_ok=True)
        command = [sys.executable, "-m", "runtime", "--home", str(self.home), "--announce", str(self._announce)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
        with (self.home.parent / "runtime.log").open("ab") as log:
            process = self._process = subprocess.Popen(
                [*self._through, *command, *self._options], stderr=log, cwd=Path(__file__).parents[2], env=environment
            )
        until(lambda: self._announce.exists() or process.poll() is not None)
        assert process.poll() is None, (self.home.parent / "runtime.log").read_text()
        facts = json.loads(self._announce.read_text())
        self.url, self.port = facts["url"], facts["port"]

    def stop(self) -> int:
        """End it with SIGTERM; its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """End it with SIGKILL; its exit code."""
        return self._end(signal.SIGKILL)

    def _end(self, number: int) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        code = self._process.wait(20)
        self._process = None
        return code

    @property
    def running(self) -> bool:
        """Whether there is a process to stop."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._process is not None
        return self._process.pid

    def descendants(self) -> list[int]:
        """Every process whose environment or command line names this home, but for the server itself."""
        mark, found = str(self.home).encode(), []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or (self._process is not None and int(entry.name) == self._process.pid):
                continue
            try:
                text = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if mark in text and alive(int(entry.name)):
                found.append(int(entry.name))
        return found

    def template(self) -> int:
        """The process that sandboxes are forked from; 0 while there is none."""
        return next((pid for pid in self.descendants() if _parent(pid) == self.pid and _is_ours(pid)), 0)

    def keepers(self) -> list[int]:
        """The first process of each sandbox, those that are only prepared included."""
        template = self.template()
        return [pid for pid in self.descendants() if _parent(pid) == template]

    def client(self, service: str = "lambda") -> Any:
        """A boto3 client of this server."""
        return client(service, self.url)

    def create(self, name: str, source: str = ECHO, *, publish: bool = False, **more: Any) -> None:
        """A function `name` that runs `app.handler` of `source`, Active."""
        of = self.client()
        arguments = {"Runtime": f"python3.{sys.version_info[1]}", "Handler": "app.handler", "Role": ROLE, **more}
        of.create_function(FunctionName=name, Code={"ZipFile": package(source)}, Publish=publish, **arguments)
        until(lambda: of.get_function_configuration(FunctionName=name)["State"] == "Active")

    def update(self, name: str, source: str) -> None:
        """New code for the function, in effect."""
        of = self.client()
        of.update_function_code(FunctionName=name, ZipFile=package(source))
        until(lambda: of.get_function_configuration(FunctionName=name)["LastUpdateStatus"] == "Successful")

    def log_text(self, function: str) -> str:
        """Everything in the function's log streams."""
        directory = self.home / "logs" / "aws" / "lambda" / function
        return "".join(path.read_bytes().decode() for path in sorted(directory.rglob("*.log")))


class MotoProcess:
    """`moto_server` with its Lambda in simple mode, which echoes and runs nothing."""

    def __init__(self, directory: Path) -> None:
        self._log = directory / "moto.log"
        program = Path(sys.executable).with_name("moto_server")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([program, "-p", "0", "-H", "127.0.0.1"], stdout=log, stderr=log)
        until(self._address, 30)
        self.url = self._address()
        self._post("/moto-api/config", {"lambda": {"use_docker": False}})
        trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]}
        client("iam", self.url).create_role(
            RoleName=ROLE.rpartition("/")[2], AssumeRolePolicyDocument=json.dumps(trust)
        )

    def _address(self) -> str:
        match = re.search(r"http://127\.0\.0\.1:\d+", self._log.read_text())
        return match.group() if match else ""

    def _post(self, path: str, body: Mapping[str, Any]) -> None:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            assert answer.status < 300

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)


class Connection:
    """One keep-alive connection for raw Invoke requests."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def invoke(self, name: str, payload: bytes = b"{}", **headers: str) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers (lower case) and body."""
        return self.request("POST", f"/2015-03-31/functions/{name}/invocations", payload, headers)

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers (lower case) and body of any request."""
        self._connection.request(method, path, body, dict(headers or {}))
        answer = self._connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    def close(self) -> None:
        """Close it."""
        self._connection.close()
