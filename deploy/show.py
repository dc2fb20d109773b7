"""A plan for people: one line per instruction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from deploy.plan import (
    CreateAlias,
    CreateFunction,
    Instruction,
    PublishVersion,
    ShiftTraffic,
    UpdateCode,
    UpdateConfiguration,
)
from deploy.traffic.strategy import describe

NOTHING = "nothing to do: code and configuration are unchanged and the alias is wholly on that version"


def render(instructions: Sequence[Instruction]) -> list[str]:
    """The lines; none when there is nothing to do (NOTHING is the sentence for that)."""
    return [line for instruction in instructions for line in _lines(instruction)]


def _lines(instruction: Instruction) -> list[str]:
    match instruction:
        case CreateFunction(function, settings, code_sha256):
            about = f"{settings.runtime}, {settings.memory_mb} MB, {settings.timeout_s} s, code {code_sha256[:12]}"
            return [f"create function {function} ({about})"]
        case UpdateConfiguration(function, _, changes):
            details = [f"    {change.name}: {change.before or '(empty)'} -> {change.after}" for change in changes]
            return [f"update the configuration of {function}", *details]
        case UpdateCode(function, code_sha256, _):
            return [f"update the code of {function} to {code_sha256[:12]}"]
        case PublishVersion(function, _):
            return [f"publish a new version of {function}"]
        case CreateAlias(function, alias, version):
            return [f"create alias {function}:{alias} on {_version(version)}"]
        case ShiftTraffic(function, alias, old, new, steps):
            return [f"shift {function}:{alias} from version {old} to {_version(new)}: {describe(steps)}"]
        case _:
            assert_never(instruction)


def _version(version: str | None) -> str:
    return f"version {version}" if version else "the new version"
