"""The environments of one version as it is now, and the invocations that wait for one."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from runtime.catalog.records import FunctionVersion
from runtime.environment.environment import Environment
from runtime.environment.lifecycle import AVAILABLE, Phase
from runtime.invoke.invocation import Invocation


@dataclass(slots=True, eq=False)
class Pool:
    """Environments that are provisioned are kept apart: they are used first, and never retired for being idle."""

    version: FunctionVersion
    digest: str
    ready: list[Environment] = field(default_factory=list)
    """Available ones; the one used last is taken first, so that the others can grow old."""
    ahead: list[Environment] = field(default_factory=list)
    """Available ones that are provisioned."""
    waiting: deque[Invocation] = field(default_factory=deque)
    environments: set[Environment] = field(default_factory=set)
    wanted: int = 0
    """How many are to be provisioned."""
    failure: str = ""
    """Why there are not as many."""

    def take(self) -> Environment | None:
        """An available environment, taken out; None when there is none."""
        for ready in (self.ahead, self.ready):
            while ready:
                environment = ready.pop()
                if environment.phase in AVAILABLE:  # one that broke while idle may still be shutting down
                    return environment
        return None

    def put(self, environment: Environment) -> None:
        """It is available."""
        ready = self.ahead if environment.provisioned else self.ready
        if environment not in ready:
            ready.append(environment)

    def drop(self, environment: Environment) -> None:
        """It is none of these any more."""
        self.environments.discard(environment)
        for ready in (self.ahead, self.ready):
            if environment in ready:
                ready.remove(environment)

    def starting(self) -> int:
        """How many on-demand environments are on their way."""
        return sum(1 for each in self.environments if each.phase is Phase.INIT and not each.provisioned)

    def provisioned(self) -> list[Environment]:
        """Those that are provisioned: the ones that can best be given up come first."""
        found = [each for each in self.environments if each.provisioned]
        return sorted(found, key=lambda each: (each.phase is Phase.BUSY, each not in self.ahead))
