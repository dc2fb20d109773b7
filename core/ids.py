"""Identifiers in AWS's forms, from a source of randomness that is an argument."""

from __future__ import annotations

import random
import string
import uuid
from typing import Protocol

_DEPLOYMENT_ALPHABET = string.ascii_uppercase + string.digits


class Ids(Protocol):
    """Where new identifiers come from."""

    def uuid(self) -> str:
        """A UUID in its canonical 36-character form (executions, actions, tokens)."""
        ...

    def deployment(self) -> str:
        """`d-` and nine upper-case alphanumerics (Source: CodeDeploy deployment ids)."""
        ...


class RandomIds:
    """Identifiers from `rng`: the system's by default, a seeded one in tests."""

    def __init__(self, rng: random.Random | None = None) -> None:
        self._rng = rng or random.SystemRandom()

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))

    def deployment(self) -> str:
        return "d-" + "".join(self._rng.choice(_DEPLOYMENT_ALPHABET) for _ in range(9))
