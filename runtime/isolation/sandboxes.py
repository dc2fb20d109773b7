"""The sandboxes of one server, and what this machine lets it enforce."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from pathlib import Path

from core.files import write_atomic
from runtime.http import Handler, Streams
from runtime.isolation import cgroups, words
from runtime.isolation.cgroups import Places
from runtime.isolation.launcher import Hello, Launcher
from runtime.isolation.peers import peer_uid
from runtime.isolation.sandbox import LocalSandbox
from runtime.isolation.spec import SandboxSpec
from runtime.isolation.supply import Supply
from runtime.isolation.users import Users

PREPARED = 3
_log = logging.getLogger(__name__)


class LocalSandboxes:
    """Sandboxes on this machine. `home` is the server's.

    `environments` is how many may be needed at once (as many again may be ending), `prepared` how many are made before
    they are needed; `preload` says whether what many handlers import is imported before the first one starts.
    """

    def __init__(
        self,
        home: Path,
        *,
        off: bool,
        users: tuple[int, int],
        environments: int,
        prepared: int = PREPARED,
        preload: bool = True,
    ) -> None:
        self._scratch = home / "scratch"
        self._groups_file = home / "groups.json"
        self._launcher = Launcher(home / "runtimes", home, off=off, preload=preload)
        self._range = users
        self._most = 2 * environments + prepared
        self._prepared = prepared
        self._users: Users | None = None
        self._places: Places = {}
        self._owners: dict[int, LocalSandbox] = {}
        self._made = 0

    async def start(self) -> None:
        """Sweep what an earlier server left, have everything ready, and log what cannot be enforced.

        Raises:
            OSError: the template cannot be started.
        """
        self._users = Users(*self._range, self._most) if os.geteuid() == 0 else None
        users = self._users.range if self._users is not None else range(0)
        hello, self._places = await asyncio.gather(self._launcher.start(users), asyncio.to_thread(self._find_groups))
        self._hello: Hello = hello
        self.isolation = words.describe(hello, self._places)
        for warning in self.isolation.warnings:
            _log.warning("%s", warning)
        own_users = self._users if hello.mode == "root" else None
        self._supply = Supply(self._launcher, own_users, self._places, self._prepared)
        self._supply.start()

    def _find_groups(self) -> Places:
        if self._groups_file.exists():
            for left_over in json.loads(self._groups_file.read_text()):
                cgroups.clear(Path(left_over))
        cgroups.sweep()
        places = cgroups.find(cgroups.group_name(os.getpid()))
        if not places or not cgroups.can_join(places):
            for place in places.values():
                cgroups.clear(place.directory)
            return {}
        directories = sorted({str(place.directory) for place in places.values()})
        write_atomic(self._groups_file, json.dumps(directories))
        return places

    def create(self, spec: SandboxSpec, on_request: Handler, streams: Streams | None = None) -> LocalSandbox:
        """See Sandboxes."""
        self._made += 1
        sandbox = LocalSandbox(
            spec,
            self._supply,
            self._launcher,
            self._hello,
            self.isolation,
            self._scratch / str(self._made),
            self._moved,
        )
        sandbox.open(on_request, streams)
        return sandbox

    def owner_of(self, peer: tuple[str, int], here: tuple[str, int]) -> str | None:
        """The owner of the sandbox that the connection from `peer` to `here` comes out of; None for anybody else."""
        user = peer_uid(peer, here) if self._owners else None
        sandbox = self._owners.get(user) if user is not None else None
        return sandbox.owner if sandbox is not None else None

    def _moved(self, sandbox: LocalSandbox, before: int | None, now: int | None) -> None:
        """The user id of a sandbox is another one, or none."""
        if before is not None:
            self._owners.pop(before, None)
        if now is not None and self._hello.mode == "root":
            self._owners[now] = sandbox

    async def stop(self) -> None:
        """End the template and every sandbox that is left; nothing stays behind."""
        self._supply.close()
        await self._launcher.stop()
        for directory in {place.directory for place in self._places.values()}:
            await asyncio.to_thread(cgroups.clear, directory)
        if self._users is not None:
            self._users.close()
