"""Container images, as the engine on this machine knows them."""

from __future__ import annotations

import asyncio
import json
import shutil

from runtime.api.errors import invalid


class Images:
    """Asks the engine through its own command, `docker`."""

    def __init__(self, command: str = "docker") -> None:
        self._command = command

    async def digest(self, uri: str) -> str:
        """The image's digest, 64 hexadecimal characters: what runs, whatever the name is given to later.

        Raises:
            ApiError: there is no such image, or no engine.
        """
        if shutil.which(self._command) is None:
            raise invalid("Functions from container images need Docker on this machine, and there is none")
        process = await asyncio.create_subprocess_exec(
            self._command, "image", "inspect", "--format", "{{json .Id}}", "--", uri,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, mistakes = await process.communicate()
        if process.returncode != 0:
            why = mistakes.decode("utf-8", "replace").strip()
            raise invalid(f"Source image {uri} does not exist. Provide a valid source image. ({why})")
        identity: str = json.loads(output)
        return identity.removeprefix("sha256:")
