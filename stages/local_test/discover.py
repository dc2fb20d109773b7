"""The event files that a configuration's `events` names, read as tests."""

from __future__ import annotations

from pathlib import Path

from core.errors import InvalidInput
from core.source import Diagnostic
from stages.build import globs
from stages.local_test.cases import EXPECTED, Case, parse


def find_cases(source: Path, events: str) -> tuple[Case, ...]:
    """The tests in the directory `events` (every *.json below it), or of the files that fit the pattern, by name.

    Raises:
        InvalidInput: there is none, or there are mistakes in them, all of them.
    """
    pattern = globs.normal(events)
    if globs.leaves(pattern):
        raise InvalidInput(f"'{events}' leads out of the input artifact", where="events")
    root = source / globs.fixed_part(pattern) if globs.is_glob(pattern) else source / pattern
    names = (file.relative_to(source).as_posix() for file in sorted(root.rglob("*.json")) if file.is_file())
    if globs.is_glob(pattern):
        names = (name for name in names if globs.matches(pattern, name))
    files = [name for name in names if not name.endswith(EXPECTED)]
    if not files:
        raise InvalidInput(
            f"there is no event file in '{events}'", hint="add JSON files to the artifact, or name others"
        )
    return _read(source, files)


def _read(source: Path, files: list[str]) -> tuple[Case, ...]:
    cases: list[Case] = []
    mistakes: list[Diagnostic] = []
    for name in files:
        beside = source / (name.removesuffix(".json") + EXPECTED)
        try:
            expected = beside.read_bytes() if beside.is_file() else None
            cases.append(parse((source / name).read_bytes(), name, expected))
        except InvalidInput as error:
            mistakes += error.diagnostics
    if mistakes:
        raise InvalidInput.of(mistakes)
    return tuple(cases)
