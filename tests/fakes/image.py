"""A container image made from nothing but this machine's Python and the Runtime API client: no base image is needed."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runtime.isolation.runtime_directory import build

_LEFT_OUT = re.compile(
    r"/(test|tests|idlelib|ensurepip|lib2to3|tkinter|turtledemo|site-packages|config-[^/]+|__pycache__)(/|$)"
)


def context(files: Mapping[str, str], dockerfile: str, runtime_root: Path) -> bytes:
    """A build context: `root/` with Python and its libraries at their own places, /var/runtime and these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in _python():
            archive.add(path.resolve(), f"root{path}", recursive=False)
        for entry in build(runtime_root).iterdir():
            if entry.name.startswith(("awslambdaric", "simplejson", "snapshot_restore", "runtime_client", "six")):
                archive.add(entry.resolve(), f"root/var/runtime/{entry.name}")
        for folder in ("root/tmp", "root/proc", "root/dev"):
            made = tarfile.TarInfo(folder)
            made.type, made.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(made)
        for name, text in {**{f"root{name}": text for name, text in files.items()}, "Dockerfile": dockerfile}.items():
            written = tarfile.TarInfo(name)
            written.size, written.mode = len(text.encode()), 0o755
            archive.addfile(written, io.BytesIO(text.encode()))
    return buffer.getvalue()


def interpreter() -> str:
    """Where Python is, inside as outside."""
    return str(Path(sys.executable).resolve())


def build_image(client: Any, tag: str, files: Mapping[str, str], instructions: str, runtime_root: Path) -> str:
    """The tag, after an image `FROM scratch` was built with these files and further instructions."""
    dockerfile = f"FROM scratch\nCOPY root/ /\nENV PYTHONPATH=/var/runtime\nWORKDIR /var/task\n{instructions}\n"
    data = io.BytesIO(context(files, dockerfile, runtime_root))
    client.images.build(fileobj=data, custom_context=True, tag=tag, rm=True)
    return tag


def _python() -> list[Path]:
    """The interpreter, the standard library and every shared library they need."""
    executable = Path(interpreter())
    library = Path(sysconfig.get_path("stdlib"))
    modules = [path for path in library.rglob("*") if path.is_file() and not _LEFT_OUT.search(str(path))]
    programs = [executable, *(path for path in modules if path.suffix == ".so")]
    native = [Path(str(path)) for path in Path(sysconfig.get_path("purelib")).glob("runtime_client*.so")]
    listed = subprocess.run(
        ["ldd", *map(str, [*programs, *native])], capture_output=True, text=True, check=False
    ).stdout
    shared = {Path(path) for path in re.findall(r"(?:=> |\t)(/\S+) \(0x", listed)}
    return [executable, *modules, *sorted(shared)]
