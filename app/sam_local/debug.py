"""Functions that wait for a debugger before their own code is loaded. Source: SAM CLI's --debug-port."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from app.sam_local.problems import LocalError

MODULE = "_penstock_debug"
_DEBUGGER = "_penstock_debugpy"

_WAIT = '''\
"""Wait for the debugger, then become the handler that was asked for."""
import importlib
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "{directory}"))
os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
import debugpy

sys.path.pop()
debugpy.listen(("{host}", {port}), in_process_debug_adapter=True)
print("Debugger waiting for client on port {port}...", flush=True)
debugpy.wait_for_client()
os.environ["_HANDLER"] = "{handler}"
del os.environ["PYDEVD_DISABLE_FILE_VALIDATION"]
handler = getattr(importlib.import_module("{module}"), "{function}")
'''


@dataclass(frozen=True, slots=True)
class Debugging:
    """Where the debugger of a function listens: of the one named, or of whichever it is."""

    port: int
    host: str = "127.0.0.1"
    arguments: str = ""
    function: str = ""

    def is_for(self, *names: str) -> bool:
        """Whether the function with these names is to be debugged."""
        return not self.function or self.function in names

    def settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The function's settings with the debugger in them.

        Raises:
            LocalError: no runtime that can be debugged here.
        """
        if str(settings["Runtime"]).startswith("nodejs"):
            flags = self.arguments or f"--inspect-brk={self.host}:{self.port}"
            own = settings["Environment"]["Variables"]
            options = f"{own.get('NODE_OPTIONS', '')} {flags}".strip()
            return {**settings, "Environment": {"Variables": {**own, "NODE_OPTIONS": options}}}
        if not str(settings["Runtime"]).startswith("python"):
            raise LocalError(f"functions of runtime {settings['Runtime']} cannot be debugged here")
        if self.arguments:
            what = "--debug-args is for Node.js functions; Python functions always wait with debugpy"
            raise LocalError(what, where="--debug-args")
        return {**settings, "Handler": f"{MODULE}.handler"}

    def package(self, package: bytes, handler: str, runtime: str) -> bytes:
        """The function's zip with the debugger beside its code."""
        if not runtime.startswith("python"):
            return package
        module, _, function = handler.rpartition(".")
        text = _WAIT.format(
            directory=_DEBUGGER,
            host=self.host,
            port=self.port,
            handler=handler,
            module=module.replace("/", "."),
            function=function,
        )
        buffer = io.BytesIO(package)
        with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(f"{MODULE}.py", text)
            for name, path in _debugger():
                archive.write(path, f"{_DEBUGGER}/{name}")
        return buffer.getvalue()


@cache
def _debugger() -> tuple[tuple[str, Path], ...]:
    """(name, file) of the debugger that is installed here.

    Raises:
        LocalError: none is.
    """
    spec = find_spec("debugpy")
    if spec is None or not spec.submodule_search_locations:
        raise LocalError("debugpy is not installed", hint="pip install debugpy")
    root = Path(spec.submodule_search_locations[0])
    return tuple(
        (os.path.join("debugpy", path.relative_to(root)), path)  # noqa: PTH118  (a name in an archive)
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    )
