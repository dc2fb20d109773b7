"""One environment's sandbox: its address, its processes, their memory; the cell behind it may be replaced."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runtime.http import Handler, Streams
from runtime.isolation import memory
from runtime.isolation.cell import Cell
from runtime.isolation.inside import bootstrap
from runtime.isolation.inside.become import needs_fresh
from runtime.isolation.inside.enter import INTERPRETER, LIBRARY_PATH, RUNTIME
from runtime.isolation.inside.privileges import PROCESSES
from runtime.isolation.launcher import Hello, Launcher, own_interpreter
from runtime.isolation.layers import merge
from runtime.isolation.memory import Shared
from runtime.isolation.process import Process
from runtime.isolation.spec import Exit, Isolation, OnExit, OnLine, Paths, ProcessSpec, SandboxSpec
from runtime.isolation.supply import Supply

_MB = 1 << 20
_KILLED = -9
_RETRY_S = 0.01
_GAUGE_S = 1.0
_LONG_S = 0.05
_MB_PER_PROCESSOR = 1769
"""Source: reference §8."""
_TEMPLATE_ENVIRONMENT = {"LANG": "en_US.UTF-8", "LD_LIBRARY_PATH": LIBRARY_PATH}

Moved = Callable[["LocalSandbox", int | None, int | None], None]


class LocalSandbox:
    """See Sandbox."""

    def __init__(
        self,
        spec: SandboxSpec,
        supply: Supply,
        launcher: Launcher,
        hello: Hello,
        isolation: Isolation,
        scratch: Path,
        moved: Moved,
    ) -> None:
        self._spec = spec
        self._supply = supply
        self._launcher = launcher
        self._isolated = hello.mode != "none"
        self._overlay = hello.overlay
        self._counted_temporary = hello.temporary == "memory"
        self._scratch = scratch
        self._moved = moved
        self._listener, self._cell = supply.take()
        self._furnished = self._settled = False
        self._processes: dict[str, Process] = {}
        self._names: dict[str, str] = {}  # id → name
        self._ids = itertools.count(1)
        self._read_at, self._asked_at, self._peak_mb = 0.0, 0.0, 0
        self.isolation = isolation
        self.owner = spec.owner
        self.address = self._listener.address
        self.paths = self._inside() if self._isolated else self._outside()

    @property
    def is_connected(self) -> bool:
        """See Sandbox."""
        return self._listener.is_connected

    @property
    def host(self) -> str:
        """See Sandbox."""
        if not self._spec.named or not self._isolated or self._cell is None:
            return "127.0.0.1"
        own = self._cell.own_user or self._cell.number
        return f"127.{64 + (own >> 16) % 128}.{(own >> 8) % 256}.{own % 256}"

    def open(self, on_request: Handler, streams: Streams | None) -> None:
        """Answer what is asked at its address."""
        self._listener.serve(on_request, streams, self._only_user)
        self._moved(self, None, self._cell.user if self._cell is not None else None)

    def _only_user(self) -> int | None:
        """Whose connections are taken; None for anybody's."""
        return self._cell.own_user if self._cell is not None else None

    def _inside(self) -> Paths:
        directory = self._spec.runtime_directory
        interpreter = (f"{INTERPRETER}/bin/{own_interpreter().name}", f"{RUNTIME}/bootstrap.py")
        return Paths("/var/task", "/opt", RUNTIME, "/tmp", interpreter if directory is None else ())  # noqa: S108

    def _outside(self) -> Paths:
        """Where sandboxes have no root of their own: the real places."""
        temporary = self._scratch / "tmp"
        temporary.mkdir(parents=True, mode=0o700)
        layers = str(merge(self._spec.layers, self._scratch / "opt"))
        return Paths(
            task_root=str(self._spec.task_root or temporary),
            layers=layers,
            runtime_directory=str(self._spec.runtime_directory or self._launcher.links),
            temporary=str(temporary),
            interpreter=(str(own_interpreter()), "-S", str(bootstrap.__file__), layers),
        )

    # processes --------------------------------------------------------------------------------------------------

    def spawn(self, process: ProcessSpec, on_line: OnLine, on_exit: OnExit) -> None:
        """See Sandbox."""
        arguments = process.arguments
        if not arguments and self._isolated and needs_fresh(process.environment, _TEMPLATE_ENVIRONMENT):
            arguments = self.paths.interpreter
        if self._settled and not self._processes:  # another Init phase
            self._limit_cpu(None)
        identifier = str(next(self._ids))
        self._processes[identifier] = Process(on_line, on_exit, forked=not arguments)
        self._names[process.name] = identifier
        request = {
            "arguments": arguments,
            "environment": dict(process.environment),
            "directory": process.directory,
            "layers": "" if self._isolated else self.paths.layers,
        }
        self._start(identifier, request)

    def _start(self, identifier: str, request: dict[str, Any]) -> None:
        process = self._processes.get(identifier)
        if process is None:  # killed meanwhile
            return
        try:
            cell = self._ready_cell(forked=process.forked)
        except OSError:  # the template has not read earlier requests yet, or it just died and is being replaced
            asyncio.get_running_loop().call_later(_RETRY_S, self._start, identifier, request)
            return
        log = process.open_log()
        cell.spawn(identifier, request, log)
        os.close(log)

    def _ready_cell(self, *, forked: bool) -> Cell:
        """The cell, made again when there is none, and furnished."""
        if self._cell is None:
            self._cell = self._supply.cell(self.address)
            self._moved(self, None, self._cell.user)
        if not self._furnished:
            self._furnished = True
            self._cell.use(self._furnishing(self._cell, forked=forked), self._exited, self._lost)
        return self._cell

    def _furnishing(self, cell: Cell, *, forked: bool) -> dict[str, Any]:
        """What the keeper needs to know about the function. A forked handler shares what it would else hold itself."""
        spec, shared = self._spec, self._launcher.shared if forked else Shared()
        limit = spec.memory_mb * _MB - shared.base
        watched = self.isolation.memory == "watched" or self._counted_temporary
        counted = limit + (spec.temporary_mb * _MB if self._counted_temporary else 0)
        layers = spec.layers
        if len(layers) > 1 and self._isolated and not self._overlay:
            layers = (merge(layers, self._scratch / "opt"),)
        return {
            "task_root": str(spec.task_root) if spec.task_root is not None else "",
            "layers": [str(layer) for layer in layers],
            "runtime_directory": str(spec.runtime_directory) if spec.runtime_directory is not None else "",
            "programs": [[str(path), target] for path, target in spec.programs],
            "host": self.host if spec.named else "",
            "temporary_mb": spec.temporary_mb,
            "limits": [each.document() for each in cell.group.limits(counted, PROCESSES)],
            "watched_bytes": limit if watched else 0,
            "shared_bytes": shared.base + shared.preloaded,
        }

    def signal(self, name: str, number: int) -> None:
        """See Sandbox."""
        identifier = self._names.get(name)
        if identifier in self._processes and self._cell is not None:
            self._cell.signal(identifier, number)

    def drain(self) -> None:
        """See Sandbox."""
        for process in list(self._processes.values()):
            process.drain()

    def settled(self) -> None:
        """See Sandbox."""
        self._limit_cpu(self._spec.memory_mb / _MB_PER_PROCESSOR)

    def _limit_cpu(self, processors: float | None) -> None:
        self._settled = processors is not None
        if self._cell is not None:
            with contextlib.suppress(OSError):  # it is just ending
                self._cell.group.limit_cpu(processors)

    def kill(self) -> None:
        """See Sandbox."""
        self._gauge()
        processes, self._processes = self._processes, {}
        for process in processes.values():
            process.forget()
        if processes and self._cell is not None:
            self._cell.kill()
        self._listener.disconnect()

    def close(self) -> None:
        """See Sandbox."""
        self.kill()
        self._listener.close()
        self._leave_cell()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _leave_cell(self) -> None:
        cell, self._cell = self._cell, None
        self._furnished = False
        if cell is not None:
            self._moved(self, cell.user, None)
            cell.close()

    def _exited(self, identifier: str, code: int, exhausted: bool, peak: int) -> None:
        process = self._processes.get(identifier)
        self._gauge(peak if process is not None and process.forked else 0)  # else what was before its exec counts, too
        self._processes.pop(identifier, None)
        if process is not None and self._cell is not None:
            out_of_memory = exhausted or (code == _KILLED and self._cell.group.out_of_memory())
            if out_of_memory:
                self._peak_mb = self._spec.memory_mb
            process.ended(Exit(code, out_of_memory))

    def _lost(self) -> None:
        """The keeper is gone, and everything inside with it."""
        self._leave_cell()
        processes, self._processes = self._processes, {}
        self._listener.disconnect()
        for process in processes.values():
            process.ended(Exit(_KILLED))

    # memory -----------------------------------------------------------------------------------------------------

    def memory_peak_mb(self) -> int:
        """See Sandbox. Read after a long invocation; after short ones, which take less time than that, each second."""
        now = time.monotonic()
        long, self._asked_at = now - self._asked_at >= _LONG_S, now
        if long or now - self._read_at >= _GAUGE_S:
            self._read_at = now
            self._gauge()
        return self._peak_mb

    def _gauge(self, ended: int = 0) -> None:
        """`ended` is what a process that is no more held at most, in bytes."""
        if self._cell is not None and self._processes:
            self._peak_mb = max(self._peak_mb, min(self._used_mb(self._cell, ended), self._spec.memory_mb))

    def _used_mb(self, cell: Cell, ended: int) -> int:
        forked = any(process.forked for process in self._processes.values())
        counted = cell.group.memory_peak() - cell.overhead if cell.group.counts_memory else None
        return memory.used_mb(
            counted,
            memory.resident_peak(memory.below(cell.pid)) + ended,
            self._launcher.shared if forked else Shared(),
            self._supply.imported(cell),
        )
