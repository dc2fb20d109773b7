"""One container from its making to its removal, through Docker's API. Blocking: to be run in threads.

Loading Docker's client takes 0.2 s, so this module is loaded when the first container is wanted.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import docker
from docker.errors import APIError, DockerException
from docker.types import Ulimit

from runtime.environment.runtimes.images.spec import ContainerSpec, EngineError
from runtime.isolation.spec import Exit

LABEL = "penstock.runtime"
"""Whose container it is: the home of the server."""
_CPU_MB = 1769
"""Source: reference §8, this much memory comes with one processor."""
_PERIOD_US, _SHORTEST_QUOTA_US = 100_000, 1_000
_PROCESSES = _OPEN_FILES = 1024
"""Source: reference §8."""
_KILLED = 137
_NO_CODE = 125

OnOutput = Callable[[bytes], None]


def connect() -> Any:
    """A client of the engine.

    Raises:
        EngineError: there is none that answers.
    """
    try:
        client = docker.from_env(timeout=60)
        client.ping()
    except DockerException as error:
        raise EngineError(
            f"functions from container images need Docker on this machine, and its engine does not answer: {error}"
        ) from error
    return client.api


def sweep(api: Any, home: str) -> int:
    """How many containers of that server were left behind; they are removed."""
    left = api.containers(all=True, filters={"label": f"{LABEL}={home}"})
    for container in left:
        _remove(api, container["Id"])
    return len(left)


class Run:
    """One container. `run` blocks until it has ended and is removed; `end` and `signal` may be called meanwhile."""

    def __init__(self, api: Callable[[], Any], spec: ContainerSpec, on_output: OnOutput) -> None:
        self._connect = api
        self._spec = spec
        self._on_output = on_output
        self._lock = threading.Lock()
        self._identifier = ""
        self._ended = False
        self.pid = 0

    def run(self) -> Exit:
        """How it ended."""
        try:
            api = self._connect()
            return self._run(api)
        except EngineError as error:
            return Exit(_NO_CODE, error=str(error))
        except APIError as error:
            return Exit(_NO_CODE, error=str(error.explanation or error))
        except (DockerException, OSError) as error:
            return Exit(_NO_CODE, error=str(error))

    def _run(self, api: Any) -> Exit:
        created = self._create(api)
        with self._lock:
            self._identifier = created
            ended = self._ended
        try:
            if ended:
                return Exit(-9)
            self._warn_of_extensions(api)
            output: Iterator[bytes] = api.attach(created, stdout=True, stderr=True, stream=True, logs=True)
            api.start(created)
            self.pid = api.inspect_container(created)["State"]["Pid"]
            for data in output:
                self._on_output(data)
            code: int = api.wait(created)["StatusCode"]
            killed_for_memory: bool = api.inspect_container(created)["State"]["OOMKilled"]
            return Exit(-9 if code == _KILLED else code, out_of_memory=killed_for_memory)
        finally:
            _remove(api, created)

    def _create(self, api: Any) -> str:
        spec, image = self._spec, self._spec.image
        config = api.inspect_image(image.reference)["Config"]
        memory = f"{spec.memory_mb}m"
        limits = api.create_host_config(
            network_mode="host",
            read_only=True,
            tmpfs={"/tmp": f"size={spec.temporary_mb}m,mode=1777,uid={spec.user},gid={spec.user},exec"},  # noqa: S108  (the container's own)
            mem_limit=memory,
            memswap_limit=memory,
            pids_limit=_PROCESSES,
            ulimits=[_limit("nofile", _OPEN_FILES)],
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
        )
        made = api.create_container(
            image.reference,
            entrypoint=_either(image.entry_point, config.get("Entrypoint")),
            command=_either(image.command, config.get("Cmd")),
            working_dir=image.working_directory or None,
            environment=dict(spec.environment),
            user=f"{spec.user}:{spec.user}",
            labels={LABEL: spec.home, "penstock.function": spec.owner},
            host_config=limits,
        )
        identifier: str = made["Id"]
        return identifier

    def _warn_of_extensions(self, api: Any) -> None:
        with contextlib.suppress(APIError):  # there are none
            stream, _ = api.get_archive(self._identifier, "/opt/extensions")
            stream.close()
            self._on_output(b"[WARN] the extensions in /opt/extensions of a container image are not started here\n")

    def limit_cpu(self) -> None:
        """Give it no more processor time from now on than its memory stands for."""
        with self._lock:
            identifier = self._identifier
        quota = max(int(self._spec.memory_mb / _CPU_MB * _PERIOD_US), _SHORTEST_QUOTA_US)
        if identifier:
            with contextlib.suppress(APIError, EngineError):
                self._connect().update_container(identifier, cpu_period=_PERIOD_US, cpu_quota=quota)

    def signal(self, number: int) -> None:
        """Send a signal to its first process."""
        with self._lock:
            identifier = self._identifier
        if identifier:
            with contextlib.suppress(APIError, EngineError):
                self._connect().kill(identifier, signal=number)

    def end(self) -> None:
        """Kill and remove it; when it does not exist yet, it never will."""
        with self._lock:
            self._ended = True
            identifier = self._identifier
        if identifier:
            with contextlib.suppress(EngineError):
                _remove(self._connect(), identifier)


def _either(override: Sequence[str], own: Sequence[str] | None) -> list[str] | None:
    return list(override or own or ()) or None


def _limit(name: str, value: int) -> Any:
    return Ulimit(name=name, soft=value, hard=value)


def _remove(api: Any, identifier: str) -> None:
    with contextlib.suppress(APIError):  # somebody else was faster
        api.remove_container(identifier, force=True, v=True)
