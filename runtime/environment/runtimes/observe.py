"""What a function's files and this machine offer: looked up before anything is decided."""

from __future__ import annotations

import os
import platform
import re
import shutil
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path

from runtime.environment.runtimes.facts import Entry, Files, Machine

_ELF, _SCRIPT = b"\x7fELF", b"#!"


def this_machine() -> Machine:
    """The interpreters there are. Starts `node --version`; a few milliseconds."""
    program = shutil.which("node")
    version = ""
    if program is not None:
        try:
            done = subprocess.run([program, "--version"], capture_output=True, timeout=10, check=True, env={})
            version = re.sub(r"^v", "", done.stdout.decode().strip())
        except (OSError, subprocess.SubprocessError):
            program = None
    node = Path(program).resolve() if program is not None else None
    return Machine(python=platform.python_version(), node=node, node_version=version)


def files(task_root: Path | None, layers: Sequence[Path]) -> Files:
    """The entry points in a function's code and layers (which lie over each other in this order)."""
    bootstraps: list[Entry] = []
    if task_root is not None:
        bootstraps += _entries(task_root, "bootstrap", "task")
    bootstraps += _topmost(layers, "bootstrap")
    names = {path.name for layer in layers for path in _listed(layer / "extensions")}
    found = (_topmost(layers, f"extensions/{name}") for name in sorted(names))
    return Files(tuple(bootstraps), tuple(entry for entries in found for entry in entries))


def _listed(directory: Path) -> list[Path]:
    try:
        return [path for path in directory.iterdir() if path.is_file()]
    except OSError:
        return []


def _topmost(layers: Sequence[Path], name: str) -> list[Entry]:
    """The entry as the merged layers show it."""
    for layer in reversed(layers):
        found = _entries(layer, name, "layers")
        if found:
            return found
    return []


def _entries(root: Path, name: str, where: str) -> list[Entry]:
    path = root / name
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return []
        with path.open("rb") as file:
            head = file.readline(256)
    except OSError:
        return []
    return [Entry(name, where, _obstacle(status.st_mode, head))]


def _obstacle(mode: int, head: bytes) -> str:
    """Why the file cannot be executed, in the words of the system; empty when it can."""
    if not mode & 0o111:
        return "permission denied"
    if head.startswith(_ELF):
        return ""
    if not head.startswith(_SCRIPT):
        return "exec format error"
    interpreter = head[2:].split()[:1]
    known = bool(interpreter) and (os.path.exists(interpreter[0]) or interpreter[0].startswith((b"/opt/", b"/var/")))  # noqa: PTH110  (bytes)
    return "" if known else "no such file or directory"
