"""`runtime-versions`: which of the machine's programs has the version a buildspec asks for. Pure, but for shell text.

Source: CodeBuild buildspec reference, install/runtime-versions; values are `latest`, `N`, `N.x`, `N.y` or a variable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# How each runtime tells its version; `{v}` is the wanted one.
_PROGRAMS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "python": (("python{v}", "--version"), ("python3", "--version"), ("python", "--version")),
    "nodejs": (("node", "--version"),),
    "java": (("java", "-version"),),
    "golang": (("go", "version"),),
    "ruby": (("ruby", "--version"),),
    "php": (("php", "--version"),),
    "dotnet": (("dotnet", "--version"),),
}
_ALIASES = {"python": ("python", "python3")}  # the names a chosen program is made to answer to
_NUMBER = re.compile(r"(\d+)(?:\.(\d+))?")
_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A program that may be the runtime; `asking` prints its version."""

    program: str
    asking: str


def resolved(version: str, variables: Mapping[str, str]) -> str:
    """`version` with a variable reference replaced; one that is not set stays as it is written."""
    match = _VARIABLE.fullmatch(version.strip())
    return variables.get(match.group(1), version) if match else version.strip()


def candidates(runtime: str, version: str) -> tuple[Candidate, ...]:
    """The programs to ask, best first; none for a runtime nobody knows."""
    wanted = "" if version == "latest" else version.removesuffix(".x")
    named = ((program.format(v=wanted), argument) for program, argument in _PROGRAMS.get(runtime, ()))
    return tuple(Candidate(program, f"{program} {argument}") for program, argument in dict.fromkeys(named))


def fits(version: str, printed: str) -> bool:
    """Whether what a program printed about itself is the wanted version."""
    found = _NUMBER.search(printed)
    if found is None:
        return False
    if version == "latest":
        return True
    wanted = [part for part in version.split(".") if part != "x"]
    return wanted == [found.group(1), found.group(2) or "0"][: len(wanted)]


def selecting(runtime: str, program: str, folder: str) -> str:
    """A command that puts `program` first under the names its runtime goes by; "" when it already is."""
    aliases = _ALIASES.get(runtime, ())
    if not aliases:
        return ""
    links = "\n".join(f'ln -sf "$(command -v {program})" "{folder}/{alias}"' for alias in aliases)
    return f'mkdir -p "{folder}"\n{links}\nexport PATH="{folder}:$PATH"\n'


def unknown(runtime: str, version: str, found: str) -> str:
    """The sentence for a version that is not there."""
    if runtime not in _PROGRAMS:
        return f"Unknown runtime named '{runtime}'. Known: {', '.join(_PROGRAMS)}"
    here = found.strip() or "none"
    return f"Unknown runtime version named '{version}' of {runtime}. This machine has: {here}"
