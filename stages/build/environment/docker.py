"""A build in a container: its files mounted, its output streamed, the container always removed."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container

from core.clock import Clock
from core.process_lines import Lines
from stages.build.environment.base import CHANNEL, Channel, Ended, EnvironmentFailed, Launch

MOUNT = PurePosixPath("/codebuild/output")
LABEL = "penstock.action"

_ASK_EVERY_S = 0.1
_EXIT_WITHIN_S = 10
_CHUNK = 1 << 16
_HEADER = struct.Struct(">BxxxL")  # Source: Docker Engine API, attach: stream type, size of what follows


def connect(base: Mapping[str, str]) -> docker.DockerClient:
    """The engine that the machine's environment names (DOCKER_HOST and the like).

    Raises:
        EnvironmentFailed: none answers.
    """
    try:
        client = docker.from_env(environment=dict(base))
        client.ping()
    except DockerException as error:
        raise EnvironmentFailed("CLIENT_ERROR", f"no Docker engine answers: {error}") from None
    return client


class DockerEnvironment:
    """See `stages.build.environment.base.Environment`. Only `folder` is mounted, at /codebuild/output."""

    def __init__(
        self,
        folder: Path,
        *,
        connect: Callable[[], docker.DockerClient],
        image: str,
        clock: Clock,
        deadline: datetime | None,
        should_stop: Callable[[], str],
        tag: str,
    ) -> None:
        self.folder = folder
        self._connect = connect
        self._image = image
        self._clock = clock
        self._deadline = deadline
        self._should_stop = should_stop
        self._tag = tag
        self._client: docker.DockerClient | None = None
        self._container: Container | None = None
        self._stream: _Stream | None = None

    def prepare(self) -> None:
        self._client = self._connect()
        (self.folder / "tmp").mkdir(parents=True, exist_ok=True)
        self._remove_leftovers(self._client)
        try:
            self._client.images.get(self._image)
        except ImageNotFound:
            self._pull(self._client)

    def place(self, path: Path) -> str:
        return str(MOUNT / path.relative_to(self.folder).as_posix())

    def host(self, path: str) -> Path | None:
        pure = PurePosixPath(path)
        return self.folder / pure.relative_to(MOUNT) if pure.is_relative_to(MOUNT) else None

    def reaches(self, path: Path) -> bool:
        return path.is_relative_to(self.folder.resolve())

    def variables(self) -> Mapping[str, str]:
        return {"HOME": "/root", "TMPDIR": self.place(self.folder / "tmp")}

    def start(self, launch: Launch) -> Channel:
        if self._client is None:
            raise EnvironmentFailed("CLIENT_ERROR", "the container was not prepared")
        arguments = ["-" if argument == CHANNEL else argument for argument in launch.arguments]
        try:
            self._container = self._client.containers.create(
                self._image,
                entrypoint=["/bin/sh", self.place(launch.script), *arguments],
                command=[],
                name=re.sub(r"[^A-Za-z0-9_.-]", "-", f"penstock-{self._tag}"),
                labels={LABEL: self._tag},
                environment=dict(launch.variables),
                working_dir=self.place(launch.directory),
                volumes={str(self.folder): {"bind": str(MOUNT), "mode": "rw"}},
                stdin_open=True,
            )
            attached = self._container.attach_socket(params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
            self._container.start()
        except DockerException as error:
            raise EnvironmentFailed("CLIENT_ERROR", f"the container cannot be started: {error}") from None
        self._stream = _Stream(attached, self._container, launch, self._why_end)
        return self._stream

    def must_end(self) -> bool:
        return self._why_end() is not None

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        if self._client is None:
            return
        try:
            if self._container is not None:
                _remove(self._container)
                self._container = None
                self._take_over_files(self._client)
        finally:
            self._client.close()
            self._client = None

    def _why_end(self) -> Ended | None:
        """Why the container must go now, None while it may stay."""
        reason = self._should_stop()
        if reason:
            return Ended("stopped", None, reason)
        if self._deadline is not None and self._clock.now() >= self._deadline:
            return Ended("timed-out", None, "the time is over")
        return None

    def _pull(self, client: docker.DockerClient) -> None:
        try:
            client.images.pull(self._image)
        except (APIError, DockerException) as error:
            code = "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE"
            raise EnvironmentFailed(code, f"Unable to pull image {self._image}: {error}") from None

    def _remove_leftovers(self, client: docker.DockerClient) -> None:
        """Containers of the same action that a crash left behind."""
        for container in client.containers.list(all=True, filters={"label": f"{LABEL}={self._tag}"}):
            _remove(container)

    def _take_over_files(self, client: docker.DockerClient) -> None:
        """Give the files that the container's root made to the user we are, so that they can be removed."""
        owner = os.getuid()
        if all(path.lstat().st_uid == owner for path in self.folder.rglob("*")):
            return
        client.containers.run(
            self._image,
            entrypoint=["/bin/sh", "-c", f"chown -R {owner}:{os.getgid()} {MOUNT}"],
            command=[],
            volumes={str(self.folder): {"bind": str(MOUNT), "mode": "rw"}},
            network_disabled=True,
            remove=True,
        )


class _Stream:
    """The container's standard input and output: lines in, lines out, until it ends or must end."""

    def __init__(
        self, attached: Any, container: Container, launch: Launch, why_end: Callable[[], Ended | None]
    ) -> None:
        self._attached = attached
        self._socket: socket.socket = getattr(attached, "_sock", attached)
        self._socket.settimeout(_ASK_EVERY_S)
        self._container = container
        self._launch = launch
        self._why_end = why_end
        self._ended: Ended | None = None
        self._thread = threading.Thread(target=self._follow, name="build-container", daemon=True)
        self._thread.start()

    def send(self, line: str) -> None:
        with contextlib.suppress(OSError):
            self._socket.sendall(line.encode() + b"\n")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        self._thread.join()
        self._attached.close()

    def _follow(self) -> None:
        ended = Ended("exited", None, "its output could not be kept")
        lines = Lines(self._launch.on_line)
        try:
            for chunk in _payloads(self._chunks()):
                lines.feed(chunk)
            lines.end()
            ended = self._ended or Ended("exited", int(self._container.wait(timeout=_EXIT_WITHIN_S)["StatusCode"]))
        except (DockerException, OSError, ValueError) as error:
            ended = Ended("exited", None, f"the container was lost: {error}")
        finally:
            self._launch.on_end(ended)  # whatever happened: somebody waits for it

    def _chunks(self) -> Iterator[bytes]:
        asked_at = time.monotonic()
        while self._ended is None:
            with contextlib.suppress(TimeoutError):
                chunk = self._socket.recv(_CHUNK)
                if not chunk:
                    return
                yield chunk
            if time.monotonic() - asked_at >= _ASK_EVERY_S:
                asked_at = time.monotonic()
                self._ended = self._why_end()
        self._hang_up()  # the engine does not end a container whose output nobody takes
        self._container.kill()

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)


def _payloads(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """What the container wrote, without the headers around it."""
    buffer = b""
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= _HEADER.size:
            _, size = _HEADER.unpack_from(buffer)
            if len(buffer) < _HEADER.size + size:
                break
            yield buffer[_HEADER.size : _HEADER.size + size]
            buffer = buffer[_HEADER.size + size :]


def _remove(container: Container) -> None:
    with contextlib.suppress(NotFound):
        container.remove(force=True, v=True)
