"""Variable references: `#{namespace.key}` in texts, found and replaced. `${…}` is the shell's and stays untouched.

Source: CodePipeline variables reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from core.document import Path, dotted
from core.errors import PenstockError

Reference = tuple[str, str]
Scope = Mapping[str, Mapping[str, str]]

PIPELINE_NAMESPACE = "variables"
SYSTEM_NAMESPACE = "codepipeline"
SYSTEM_VARIABLES = ("PipelineExecutionId",)

_REFERENCE = re.compile(r"#\{([A-Za-z0-9@\-_]+)\.([A-Za-z0-9@\-_.]+)\}")
_ATTEMPT = re.compile(r"#\{([^{}]*)(\}?)")


class UnresolvedVariable(PenstockError):
    """References that have no value in this execution; `missing` holds them as (namespace, key)."""

    def __init__(self, missing: tuple[Reference, ...], where: str) -> None:
        names = ", ".join(f"#{{{namespace}.{key}}}" for namespace, key in missing)
        plural = "s have" if len(missing) > 1 else " has"
        super().__init__(
            f"the variable{plural} no value: {names}",
            where=where,
            hint="look at what the producing action exported with `penstock show`",
        )
        self.missing = missing


def references(text: str) -> list[Reference]:
    """The (namespace, key) pairs in `text`, in order, repeats included."""
    return [(found.group(1), found.group(2)) for found in _REFERENCE.finditer(text)]


def malformed(text: str) -> list[str]:
    """The beginnings of references in `text` that are none: `#{level}` without a namespace, `#{a.b` without an end."""
    return [found.group() for found in _ATTEMPT.finditer(text) if not _REFERENCE.match(text, found.start())]


def holds_reference(value: Any) -> bool:
    """Whether any text inside `value` refers to a variable."""
    if isinstance(value, str):
        return _REFERENCE.search(value) is not None
    if isinstance(value, Mapping):
        return any(holds_reference(item) for item in value.values())
    return isinstance(value, (list, tuple)) and any(holds_reference(item) for item in value)


def each_text(value: Any, path: Path = ()) -> list[tuple[Path, str]]:
    """Every text inside nested `value` with its path, in order; keys are not texts."""
    if isinstance(value, str):
        return [(path, value)]
    if isinstance(value, Mapping):
        return [found for key, item in value.items() for found in each_text(item, (*path, key))]
    if isinstance(value, (list, tuple)):
        return [found for index, item in enumerate(value) for found in each_text(item, (*path, index))]
    return []


def resolve(value: Any, scope: Scope) -> Any:
    """`value` with every reference replaced in every text inside it; what is replaced is not searched again.

    Raises:
        UnresolvedVariable: `scope` misses one or more of them (all are listed).
    """
    missing: dict[Reference, Path] = {}
    for path, text in each_text(value):
        for namespace, key in references(text):
            if key not in scope.get(namespace, {}):
                missing.setdefault((namespace, key), path)
    if missing:
        raise UnresolvedVariable(tuple(missing), dotted(next(iter(missing.values()))))

    def fill(text: str) -> str:
        return _REFERENCE.sub(lambda found: scope[found.group(1)][found.group(2)], text)

    return _mapped(value, fill)


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _mapped(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_mapped(item, change) for item in value)
    return value
