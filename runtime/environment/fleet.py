"""All environments of a server: which one runs an invocation, when a new one is started, when one is retired."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from runtime.catalog.records import FunctionVersion
from runtime.control.settings import digest
from runtime.environment.environment import Environment
from runtime.environment.lifecycle import AVAILABLE, Phase
from runtime.invoke.invocation import Invocation

_SHUTDOWN_S, _LOOK_S = 2.2, 0.01

Make = Callable[[FunctionVersion, Callable[[Environment], None]], Environment]


@dataclass(slots=True, eq=False)
class Pool:
    """The environments of one version as it is now, and the invocations that wait for one."""

    version: FunctionVersion
    digest: str
    ready: list[Environment] = field(default_factory=list)
    """Available ones; the one used last is taken first, so that the others can grow old."""
    waiting: deque[Invocation] = field(default_factory=deque)
    environments: set[Environment] = field(default_factory=set)


class Fleet:
    """At most `limit` environments; when that is reached, invocations wait for one to become free."""

    def __init__(self, make: Make, limit: int, idle_s: float) -> None:
        self._make = make
        self._limit = limit
        self._idle_s = idle_s
        self._pools: dict[tuple[str, str], Pool] = {}
        self._retiring: set[Environment] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._stopping = False

    def submit(self, version: FunctionVersion, invocation: Invocation) -> None:
        """Run `invocation` on `version`, now or as soon as an environment is free."""
        pool = self._pools.get((version.name, version.version))
        if pool is None or pool.version is not version:
            pool = self._pool_of(version, pool)
        while pool.ready:
            environment = pool.ready.pop()
            if environment.phase in AVAILABLE:  # one that broke while it was idle is still shutting down
                environment.assign(invocation)
                return
        pool.waiting.append(invocation)
        self._grow(pool)

    def discard(self, name: str, keep: Callable[[FunctionVersion], bool]) -> None:
        """Retire the environments of `name`'s versions that are not to be kept as they are."""
        for key, pool in list(self._pools.items()):
            if key[0] == name and not keep(pool.version) and not pool.waiting:
                del self._pools[key]
                self._retire(pool.environments)

    def count(self) -> int:
        """How many environments there are."""
        return sum(len(pool.environments) for pool in self._pools.values())

    async def wind_down(self) -> None:
        """Let environments with extensions go through their Shutdown phase, for as long as that may take."""
        self._stopping = True
        ending = [each for pool in self._pools.values() for each in pool.ready if each.has_extensions]
        ending += [each for each in self._retiring if each.has_extensions]
        for environment in ending:
            environment.retire()
        end = asyncio.get_running_loop().time() + _SHUTDOWN_S
        while any(each.phase is not Phase.RETIRED for each in ending) and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(_LOOK_S)

    def stop(self) -> None:
        """End every environment; invocations that run or wait are not answered."""
        self._stopping = True
        if self._timer is not None:
            self._timer.cancel()
        for pool in self._pools.values():
            for environment in pool.environments:
                environment.stop()
        for environment in self._retiring:
            environment.stop()

    def _pool_of(self, version: FunctionVersion, existing: Pool | None) -> Pool:
        """The pool for `version`: the existing one if what it runs is the same, else a new one instead of it."""
        fingerprint = digest(version.settings, version.code_sha256)
        if existing is not None and existing.digest == fingerprint:
            existing.version = version
            return existing
        pool = Pool(version, fingerprint)
        self._pools[(version.name, version.version)] = pool
        if existing is not None:
            pool.waiting.extend(existing.waiting)
            existing.waiting.clear()
            self._retire(existing.environments)
        return pool

    def _grow(self, pool: Pool) -> None:
        """Start an environment when more invocations wait than environments are on their way."""
        starting = sum(1 for environment in pool.environments if environment.phase is Phase.INIT)
        if starting >= len(pool.waiting):
            return
        if self.count() >= self._limit and not self._make_room(pool):
            return
        environment = self._make(pool.version, lambda available: self._freed(pool, available))
        pool.environments.add(environment)
        environment.start()
        if self._timer is None and not self._stopping:
            self._timer = asyncio.get_running_loop().call_later(self._idle_s / 4, self._retire_idle)

    def _make_room(self, wanting: Pool) -> bool:
        """Whether an idle environment of another pool, the one idle longest, was given up."""
        idle = [
            (environment.idle_since, id(environment), pool, environment)
            for pool in self._pools.values()
            if pool is not wanting
            for environment in pool.ready
        ]
        if not idle:
            return False
        _, _, pool, environment = min(idle, key=lambda each: each[:2])
        self._give_up(pool, environment)
        return True

    def _freed(self, pool: Pool, environment: Environment) -> None:
        if environment not in pool.environments:
            return
        if pool.waiting:
            environment.assign(pool.waiting.popleft())
            return
        if environment not in pool.ready:
            pool.ready.append(environment)
        if self.count() >= self._limit:
            for other in self._pools.values():
                if other.waiting:
                    self._grow(other)
                    return

    def _retire_idle(self) -> None:
        now = asyncio.get_running_loop().time()
        for pool in self._pools.values():
            for environment in list(pool.ready):
                if now - environment.idle_since >= self._idle_s and environment.phase in AVAILABLE:
                    self._give_up(pool, environment)
        self._timer = None
        if self.count():
            self._timer = asyncio.get_running_loop().call_later(self._idle_s / 4, self._retire_idle)

    def _give_up(self, pool: Pool, environment: Environment) -> None:
        pool.ready.remove(environment)
        pool.environments.discard(environment)
        environment.retire()

    def _retire(self, environments: set[Environment]) -> None:
        for environment in list(environments):
            environment.retire()
            if environment.phase is not Phase.RETIRED:
                self._retiring.add(environment)
        self._retiring = {each for each in self._retiring if each.phase is not Phase.RETIRED}
