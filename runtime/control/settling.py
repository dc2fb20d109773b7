"""Putting changes into effect: code is unpacked in the background, and what runs meanwhile is what was there before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from core.ids import Ids
from runtime.catalog.code import BadPackage, CodeStore
from runtime.catalog.documents import LayerVersion
from runtime.catalog.records import FunctionVersion, UpdateStatus
from runtime.catalog.store import Catalog
from runtime.control import states
from runtime.names import LATEST

BAD_ZIP = "Could not unzip uploaded file. Please check your file, then try to upload again."
"""Source: Lambda's wording."""


class Settling:
    """Moves versions from Pending to Active, and updates from InProgress to Successful.

    `on_change(name)` is told when what runs may be out of date.
    """

    def __init__(self, catalog: Catalog, code: CodeStore, ids: Ids, on_change: Callable[[str], None]) -> None:
        self._catalog = catalog
        self._code = code
        self._ids = ids
        self._on_change = on_change
        self._before: dict[str, FunctionVersion] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def serving(self, name: str, version: str) -> FunctionVersion | None:
        """What an invocation of that version runs now: while an update is in progress, what was there before it."""
        found = self._catalog.version(name, version)
        if found is not None and version == LATEST and found.last_update is UpdateStatus.IN_PROGRESS:
            return self._before.get(name, found)
        return found

    def replaces(self, latest: FunctionVersion) -> None:
        """`latest` is about to be changed; it runs until the change is in effect."""
        self._before[latest.name] = latest

    def soon(self, *versions: FunctionVersion) -> None:
        """Settle these versions, as saved, in the background."""
        for version in versions:
            task = asyncio.create_task(self._settle(version))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def all(self) -> None:
        """Finish what a killed server left unsettled, and forget code that no version uses."""
        for version in self._catalog.all_versions():
            if states.unsettled(version):
                await self._settle(version)
        used = {digest for version in self._catalog.all_versions() for digest in version.packages}
        self._code.keep_only(used | {layer.code_sha256 for layer in self._catalog.all(LayerVersion)})

    async def stop(self) -> None:
        """Wait for what is being unpacked."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _settle(self, version: FunctionVersion) -> None:
        failure = None
        try:
            for digest in version.packages:
                await asyncio.to_thread(self._code.unpack, digest)
        except (BadPackage, OSError) as error:
            failure = f"{BAD_ZIP} ({error})"
        now = self._catalog.version(version.name, version.version)
        if now is None or now.revision_id != version.revision_id:
            return  # deleted meanwhile
        before = self._before.pop(version.name, None) if version.version == LATEST else None
        if failure is not None and before is not None:  # what worked stays in effect
            now = replace(
                now,
                settings=before.settings,
                code_sha256=before.code_sha256,
                code_size=before.code_size,
                image_uri=before.image_uri,
                layers=before.layers,
            )
        self._catalog.save(states.settled(now, failure, self._ids.uuid()))
        self._on_change(version.name)
