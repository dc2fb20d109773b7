"""Container images, as the engine on this machine knows them."""

from __future__ import annotations

import asyncio

from runtime.api.errors import invalid


class Images:
    """Asks Docker. Its client is loaded when the first image is asked for: that takes 0.2 s."""

    async def digest(self, uri: str) -> str:
        """The image's digest, 64 hexadecimal characters: what runs, whatever the name is given to later.

        Raises:
            ApiError: there is no such image, or no engine.
        """
        return await asyncio.to_thread(_digest, uri)


def _digest(uri: str) -> str:
    import docker
    from docker.errors import APIError, DockerException

    try:
        client = docker.from_env(timeout=60)
        client.ping()
    except DockerException as error:
        raise invalid(
            f"Functions from container images need Docker on this machine, and its engine does not answer: {error}"
        ) from error
    try:
        identity = str(client.images.get(uri).id)
    except APIError as error:
        why = error.explanation or error
        raise invalid(f"Source image {uri} does not exist. Provide a valid source image. ({why})") from error
    finally:
        client.close()
    return identity.removeprefix("sha256:")
