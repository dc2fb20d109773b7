"""All environments of a server: which one runs an invocation, when a new one is started, when one is retired."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from runtime.catalog.records import FunctionVersion
from runtime.control.provisioned import Readiness
from runtime.control.settings import digest
from runtime.environment.environment import Environment
from runtime.environment.lifecycle import AVAILABLE, Phase
from runtime.environment.pool import Pool
from runtime.invoke import results
from runtime.invoke.invocation import Invocation

_log = logging.getLogger(__name__)
_SHUTDOWN_S, _LOOK_S = 2.2, 0.01
_STARTING_AT_ONCE = 8
"""How many provisioned environments of a version are started together."""
_INIT_FAILED = "FUNCTION_ERROR_INIT_FAILURE"


class Make(Protocol):
    """What makes environments; `available` is called whenever an invocation may be given to it."""

    def __call__(
        self, version: FunctionVersion, available: Callable[[Environment], None], /, *, provisioned: bool
    ) -> Environment:
        """The environment, not started.

        Raises:
            OSError: the machine has no room for it.
        """
        ...


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
        environment = pool.take()
        if environment is not None:
            environment.assign(invocation)
        else:
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

    # provisioned concurrency --------------------------------------------------------------------------------------

    def provision(self, version: FunctionVersion, count: int) -> None:
        """From now on `count` environments of that version are ready ahead of time; 0: none has to be."""
        pool = self._pools.get((version.name, version.version))
        if pool is None or pool.version is not version:
            pool = self._pool_of(version, pool)
        pool.wanted = count
        pool.failure = ""
        there = pool.provisioned()
        for environment in there[: max(0, len(there) - count)]:
            pool.drop(environment)
            self._retire({environment})
        self._provision(pool)

    def provisioned(self, name: str, version: str) -> Readiness:
        """How far that is."""
        pool = self._pools.get((name, version))
        if pool is None:
            return Readiness()
        there = pool.provisioned()
        available = sum(1 for each in there if each.phase is not Phase.INIT)
        return Readiness(len(there), available, pool.failure)

    def _provision(self, pool: Pool) -> None:
        """Start what is missing, a few at a time."""
        there = pool.provisioned()
        starting = sum(1 for each in there if each.phase is Phase.INIT)
        for _ in range(min(pool.wanted - len(there), _STARTING_AT_ONCE - starting)):
            if pool.failure:
                return
            if self.count() >= self._limit and not self._make_room(pool):
                pool.failure = f"This server keeps at most {self._limit} environments at once"
                return
            self._start(pool, provisioned=True)

    # environments -------------------------------------------------------------------------------------------------

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

    def _start(self, pool: Pool, *, provisioned: bool) -> None:
        try:
            environment = self._make(
                pool.version, lambda available: self._freed(pool, available), provisioned=provisioned
            )
        except OSError as error:  # the machine has run out of something
            _log.exception("an environment of %s cannot be made", pool.version.name)
            self._refuse(pool, str(error), provisioned=provisioned)
            return
        pool.environments.add(environment)
        environment.start()
        if self._timer is None and not self._stopping:
            self._timer = asyncio.get_running_loop().call_later(self._idle_s / 4, self._retire_idle)

    def _refuse(self, pool: Pool, why: str, *, provisioned: bool) -> None:
        """There is no environment for those who wait, and none on its way."""
        if provisioned:
            pool.failure = why
        elif not pool.environments:
            waiting, pool.waiting = pool.waiting, deque()
            for invocation in waiting:
                invocation.done(results.broken(invocation.request_id, "Sandbox.Failure", why))

    def _grow(self, pool: Pool) -> None:
        """Start an environment when more invocations wait than environments are on their way."""
        if pool.starting() >= len(pool.waiting):
            return
        if self.count() >= self._limit and not self._make_room(pool):
            return
        self._start(pool, provisioned=False)

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
        if environment.provisioned and environment.phase is Phase.RESET and not environment.was_ready:
            pool.failure = _INIT_FAILED
            self._give_up(pool, environment)
            return
        if environment.provisioned and len(pool.provisioned()) < pool.wanted:
            self._provision(pool)
        starved = self._starved() if environment.has_served and not environment.provisioned else None
        if starved is not None:  # one busy function must not keep out all others
            self._give_up(pool, environment)
            self._start(starved, provisioned=False)
            return
        if pool.waiting:
            environment.assign(pool.waiting.popleft())
            return
        pool.put(environment)
        if self.count() >= self._limit:
            for other in self._pools.values():
                if other.waiting:
                    self._grow(other)
                    return

    def _starved(self) -> Pool | None:
        """A version with invocations waiting and no environment at all, when there is no room for another."""
        if self.count() < self._limit:
            return None
        return next((pool for pool in self._pools.values() if pool.waiting and not pool.environments), None)

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
        pool.drop(environment)
        self._retire({environment})

    def _retire(self, environments: Iterable[Environment]) -> None:
        for environment in list(environments):
            environment.retire()
            if environment.phase is not Phase.RETIRED:
                self._retiring.add(environment)
        self._retiring = {each for each in self._retiring if each.phase is not Phase.RETIRED}

    # the end ------------------------------------------------------------------------------------------------------

    async def wind_down(self) -> None:
        """Let environments with extensions go through their Shutdown phase, for as long as that may take."""
        self._stopping = True
        idle = (each for pool in self._pools.values() for each in (*pool.ready, *pool.ahead))
        ending = [each for each in (*idle, *self._retiring) if each.has_extensions]
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
