"""What a sandbox's processes see of the machine: made before it is known for which function, furnished when it is."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from . import disks, syscalls
from .enter import HOST, INTERPRETER, OURS, RUNTIME

_NAME = "sandbox"
_TEMPORARY, _LAYERS = "/tmp", "/opt"
_LIMITED = syscalls.NO_SUID | syscalls.NO_DEVICES


class Place:
    """`image` is the blank file system that /tmp is a copy of; empty where it has to be memory."""

    def __init__(self, mode: str, user: int, image: str, groups: Sequence[str]) -> None:
        self._mode = mode
        self._user = user
        self._image = image
        self._groups = groups

    def make(self) -> None:
        """Be in control groups and, where that is possible, in namespaces of its own, with an empty /tmp.

        Raises:
            OSError: the kernel refused.
        """
        host = HOST if self._mode != "none" else ""
        for group in self._groups:
            os.makedirs(f"{host}{group}")
            _write(f"{host}{group}/cgroup.procs", "0")
        if self._mode != "none":
            syscalls.unshare(syscalls.NEW_MOUNTS | syscalls.NEW_IPC | syscalls.NEW_NAMES)
            syscalls.set_host_name(_NAME)
            syscalls.mount("proc", "/proc", "proc", _LIMITED | syscalls.NO_EXECUTE, "hidepid=2")
            self._make_temporary(self._image, disks.USUAL_MB)

    def furnish(self, wanted: Mapping[str, Any]) -> int:
        """Show what is the function's, and hide the machine for good: the bytes that were in use before.

        Raises:
            OSError: the kernel refused.
        """
        overhead = self._limit(wanted["limits"])
        if self._mode == "none":
            return overhead
        if wanted["temporary_mb"] != disks.USUAL_MB:
            syscalls.unmount(_TEMPORARY)
            directory = os.path.dirname(self._image)
            image = disks.blank(directory, wanted["temporary_mb"]) if self._image else ""
            self._make_temporary(image, wanted["temporary_mb"])
        for target, path in (("/var/task", wanted["task_root"]), (RUNTIME, wanted["runtime_directory"])):
            if path:
                syscalls.bind(f"{HOST}{path}", target)
        if wanted["host"]:
            _name(wanted["host"])
        _show_layers(wanted["layers"])
        if wanted["programs"]:
            _show_programs(wanted["programs"])
        syscalls.unmount(HOST)
        syscalls.unmount(f"{OURS}/inside")
        if self._mode == "root":
            kept = (
                syscalls.CAP_KILL,
                syscalls.CAP_SETUID,
                syscalls.CAP_SETGID,
                syscalls.CAP_SETPCAP,
                syscalls.CAP_CHOWN,
            )
            syscalls.bound_capabilities(*kept)
            syscalls.keep_capabilities(*kept)
        return overhead

    def _limit(self, limits: Sequence[Mapping[str, Any]]) -> int:
        host = HOST if self._mode != "none" else ""
        overhead = 0
        for limit in limits:
            above = int(_read(f"{host}{limit['above']}")) if limit["above"] else 0
            overhead = max(overhead, above)
            try:
                _write(f"{host}{limit['path']}", str(limit["value"] + above))
            except OSError:
                if not limit["optional"]:
                    raise
        return overhead

    def _make_temporary(self, image: str, size_mb: int) -> None:
        if image:
            disks.mount(image, _TEMPORARY, f"{HOST}/dev")
        else:
            syscalls.mount("tmpfs", _TEMPORARY, "tmpfs", _LIMITED, f"size={size_mb}m")
        os.chmod(_TEMPORARY, 0o700)
        if self._mode == "root":
            os.chown(_TEMPORARY, self._user, self._user)


def _name(address: str) -> None:
    """The sandbox's own names lead to an address of its own."""
    own = _read("/etc/hosts").replace(
        f" {_NAME} {_NAME}.localdomain\n", f"\n{address}\t{_NAME}.localdomain {_NAME}\n", 1
    )
    syscalls.mount("tmpfs", _LAYERS, "tmpfs", _LIMITED, "size=64k,mode=0755")
    os.close(os.open(f"{_LAYERS}/hosts", os.O_CREAT | os.O_WRONLY, 0o644))
    _write(f"{_LAYERS}/hosts", own)
    syscalls.bind(f"{_LAYERS}/hosts", "/etc/hosts")
    syscalls.unmount(_LAYERS)


def _show_layers(layers: Sequence[str]) -> None:
    """At /opt: a later one wins."""
    if len(layers) == 1:
        syscalls.bind(f"{HOST}{layers[0]}", _LAYERS)
    elif layers:
        lower = ":".join(_escaped(f"{HOST}{layer}") for layer in reversed(layers))
        syscalls.mount("overlay", _LAYERS, "overlay", _LIMITED | syscalls.READ_ONLY, f"lowerdir={lower}")


def _escaped(path: str) -> str:
    for character in "\\:,":
        path = path.replace(character, f"\\{character}")
    return path


def _show_programs(programs: list[list[str]]) -> None:
    """Another runtime's programs take the place of Python's."""
    syscalls.mount("tmpfs", INTERPRETER, "tmpfs", _LIMITED, "size=64k,mode=0755")
    for path, target in programs:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o755))
        syscalls.bind(f"{HOST}{path}", target)
    syscalls.mount("", INTERPRETER, flags=syscalls.BIND | syscalls.REMOUNT | syscalls.READ_ONLY | _LIMITED)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()
