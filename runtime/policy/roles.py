"""What the local IAM says about roles and users, remembered for a while: deciding must not wait for it each time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from core.clock import Clock
from runtime.policy.authority import Identity
from runtime.policy.callers import Role, User, account_of
from runtime.policy.iam import Iam, Known
from runtime.policy.mistakes import BadPolicy

_log = logging.getLogger(__name__)
KEPT_S, UNKNOWN_S = 30.0, 2.0
"""Changes that pass through this server are seen at once (`forget`), others (a stack that makes a role) after this:
what is older is still used, and read again meanwhile."""
_MOST = 4096


@dataclass(frozen=True, slots=True)
class _Kept:
    known: Known | None
    at: float
    """0 when it must not be used without reading it again."""
    problem: str = ""

    def old(self, now: float) -> bool:
        return now - self.at > (UNKNOWN_S if self.known is None else KEPT_S)


class Roles:
    """`exists()` says whether the backend runs: while it does not, IAM is empty and nothing is asked.

    `root_key` reads the home account; other accounts are read with the caller's own key.
    """

    def __init__(self, iam: Iam, exists: Callable[[], bool], clock: Clock, account: str, root_key: str) -> None:
        self._iam = iam
        self._exists = exists
        self._clock = clock
        self._account = account
        self._root_key = root_key
        self._kept: dict[str, _Kept] = {}
        self._owners: dict[str, Role | User | None] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._generation = 0

    def of(self, caller: Role | User) -> Identity:
        """The policies of the caller as last loaded; unrestricted when IAM does not know it.

        Raises:
            BadPolicy: one of its policies cannot be read.
        """
        known = self._known(caller.arn)
        return Identity() if known is None else Identity(known.policies, known.boundary)

    def ready(self, caller: Role | User, access_key_id: str = "") -> bool:
        """Whether `of` can answer without `load`."""
        if not self._exists():
            self._kept.clear()
            return True
        kept = self._kept.get(caller.arn)
        if kept is None or not kept.at:
            return False
        if kept.old(self._now()):
            self._read(caller, access_key_id)
        return True

    def unknown(self, arn: str) -> bool:
        """Whether IAM is known not to have this role."""
        kept = self._kept.get(arn)
        return not self._exists() or (kept is not None and kept.known is None and not kept.problem)

    async def load(self, caller: Role | User, access_key_id: str = "", *, latest: bool = False) -> Known | None:
        """What IAM knows of the caller; None when it does not know it. Remembered for `of`.

        `latest` waits for what is old to be read again. `access_key_id` is the caller's own.

        Raises:
            BadPolicy: one of its policies cannot be read.
        """
        ready = self.ready(caller, access_key_id)
        kept = self._kept.get(caller.arn)
        if not ready or (latest and kept is not None and kept.old(self._now())):
            await asyncio.shield(self._read(caller, access_key_id))
        return self._known(caller.arn)

    async def owner(self, access_key_id: str) -> Role | User | None:
        """Whose key it is; None when neither STS nor IAM knows it."""
        if access_key_id not in self._owners:
            try:
                found = await self._iam.owner(access_key_id)
            except OSError as error:
                _log.warning("whose key %s… is cannot be found out: %s", access_key_id[:4], error)
                return None
            if len(self._owners) >= _MOST:
                self._owners.clear()
            self._owners[access_key_id] = found
        return self._owners[access_key_id]

    def forget(self) -> None:
        """IAM was changed."""
        self._generation += 1
        self._kept = {arn: replace(kept, at=0.0) for arn, kept in self._kept.items()} if len(self._kept) < _MOST else {}
        self._reading.clear()
        self._owners.clear()

    def _read(self, caller: Role | User, access_key_id: str) -> asyncio.Task[None]:
        """The reading that is under way, or a new one."""
        reading = self._reading.get(caller.arn)
        if reading is None or reading.done():
            reading = self._reading[caller.arn] = asyncio.create_task(self._load(caller, access_key_id))
        return reading

    async def _load(self, caller: Role | User, access_key_id: str) -> None:
        generation, problem, known = self._generation, "", None
        home = account_of(caller, self._account) == self._account
        key = self._root_key if home or not access_key_id else access_key_id
        try:
            async with asyncio.timeout(30):
                read = self._iam.role if isinstance(caller, Role) else self._iam.user
                known = await read(caller.arn, key)
        except BadPolicy as error:
            problem = str(error)
        except (OSError, TimeoutError) as error:
            problem = f"IAM does not answer: {error}"
            generation -= 1  # to be asked again
        usable = generation == self._generation
        self._kept[caller.arn] = _Kept(known, self._now() if usable else 0.0, problem)

    def _known(self, arn: str) -> Known | None:
        kept = self._kept.get(arn)
        if kept is None:
            return None
        if kept.problem:
            raise BadPolicy(kept.problem)
        return kept.known

    def _now(self) -> float:
        return self._clock.now().timestamp()
