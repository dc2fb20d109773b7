"""What a container is run with. Values only, so that nothing of Docker is loaded where it is not needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class EngineError(Exception):
    """The engine does not answer, or refuses; the text says why."""


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """What is run: ImageConfig's members override the image's own, where they are given."""

    reference: str
    entry_point: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    working_directory: str = ""


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """How it is run."""

    image: ImageSpec
    environment: Mapping[str, str]
    memory_mb: int
    temporary_mb: int
    user: int
    owner: str
    home: str
