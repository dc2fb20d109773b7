"""A forked process becomes a handler that cannot tell it was forked."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Mapping
from importlib.machinery import SourceFileLoader
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from .stash import Witness

_CLIENT = "awslambdaric"
_USUAL = {
    "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info[0]}.{sys.version_info[1]}",
    "AWS_LAMBDA_LOG_FORMAT": "Text",
}
"""What most functions have in their environment of what the Runtime API client reads."""
_TAKEN_AT_START = ("PYTHON", "LD_", "LC_", "LANG", "MALLOC_", "GLIBC_", "OPENSSL_")
"""Variables that an interpreter, or the C library, reads once, when it starts."""
_SEARCHED = ("LD_LIBRARY_PATH", "PYTHONPATH")
_ARGUMENTS_AT = 45
"""Where /proc/<pid>/stat, after the name, has the address of the arguments."""


class Start(NamedTuple):
    """How Python is started for a handler."""

    interpreter: str
    bootstrap: str

    def command(self, layers: str) -> list[str]:
        """What starts a fresh interpreter that runs the handler; `layers` is empty when they are at /opt."""
        return [self.interpreter, self.bootstrap, *filter(None, [layers])]


def needs_fresh(environment: Mapping[str, str], own: Mapping[str, str]) -> bool:
    """Whether a handler with this environment needs an interpreter started for it; `own` is the template's. Pure."""
    searched = own.get("LD_LIBRARY_PATH")
    if searched is not None and not set(environment.get("LD_LIBRARY_PATH", "").split(":")) <= {
        *searched.split(":"),
        "",
    }:
        return True
    return any(
        own.get(name) != value
        for name, value in environment.items()
        if name.startswith(_TAKEN_AT_START) and name not in _SEARCHED
    )


def load_bootstrap(path: str) -> CodeType:
    """What a fresh interpreter would be given to run."""
    code = SourceFileLoader("__main__", path).get_code("__main__")
    assert code is not None
    return code


class Rehearsal:
    """The import of the Runtime API client ahead of time, under what most functions have in their environment.

    Its native part reads the address while it is loaded. What the rest read is compared to what the function has when
    that is known: where it differs, that part is imported again.
    """

    def __init__(self, address: str, runtime: str) -> None:
        os.environ.update(_USUAL, AWS_LAMBDA_RUNTIME_API=address)
        self._read: dict[str, str | None] = {}
        before = set(sys.modules)
        environment, path = os.environ, list(sys.path)
        os.environ = Witness.of(os.environ, self._read.__setitem__)  # noqa: B003  (it shares everything with the other)
        sys.path[:] = [runtime, *(entry for entry in path if entry != runtime)]
        try:
            __import__(f"{_CLIENT}.__main__")
        finally:
            os.environ, sys.path[:] = environment, path
            self._imported = [name for name in sys.modules if name not in before]

    def check(self, environment: Mapping[str, str]) -> None:
        """Forget what has to be imported again under this environment."""
        if any(environment.get(name) != value for name, value in self._read.items()):
            for name in self._imported:
                if name.partition(".")[0] == _CLIENT:
                    del sys.modules[name]


def handler(request: Mapping[str, Any], start: Start, code: CodeType) -> tuple[CodeType, dict[str, Any]]:
    """What to run, and its namespace, after this process has taken on all that `request` says."""
    request["rehearsal"].check(request["environment"])
    coerced = os.environ.get("LC_CTYPE")  # what the interpreter chose for want of the locale it was told to use
    os.environ.clear()
    os.environ.update(request["environment"])
    if coerced is not None and not {"LC_ALL", "LC_CTYPE"} & os.environ.keys():
        os.environ["LC_CTYPE"] = coerced
    time.tzset()
    os.umask(0o022)
    os.chdir(request["directory"])
    command = start.command(request["layers"])
    _show(command)
    sys.argv[:] = command[1:]
    sys.orig_argv[:] = command
    main = ModuleType("__main__")
    vars(main).update(
        __annotations__={},
        __builtins__=sys.modules["builtins"],
        __cached__=None,
        __file__=start.bootstrap,
        __loader__=SourceFileLoader("__main__", start.bootstrap),
    )
    sys.modules["__main__"] = main
    sys.path_importer_cache[start.bootstrap] = None
    sys.path.insert(0, os.path.dirname(start.bootstrap))
    return code, vars(main)


def _show(command: list[str]) -> None:
    """Write `command` over the arguments that the template was started with, as far as it fits."""
    with open("/proc/self/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    start, end = (int(each) for each in fields[_ARGUMENTS_AT : _ARGUMENTS_AT + 2])
    text = "\0".join(command).encode()[: end - start - 1]
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, text, len(text))
