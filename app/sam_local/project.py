"""A template on disk, and which of its functions a command means."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.sam_local.problems import LocalError
from sam.local.model import LocalFunction, LocalTemplate
from sam.local.template import load_local

_NAMES = ("template.yaml", "template.yml", "template.json")
_BUILT = Path(".aws-sam", "build", "template.yaml")


@dataclass(frozen=True, slots=True)
class Project:
    """A template with the directory that its paths are relative to."""

    path: Path
    template: LocalTemplate
    included: tuple[Path, ...] = ()
    """Files that the template includes."""

    def place(self, uri: str) -> Path:
        """Where a path of the template leads."""
        return self.path.parent / uri

    def function(self, identifier: str | None) -> LocalFunction:
        """The function of that logical id, else of that name; without one the only function there is.

        Raises:
            LocalError: none, or several. Source: SAM CLI's precedence and messages.
        """
        functions = self.template.functions
        known = ", ".join(repr(function.logical_id) for function in functions)
        if identifier is None:
            if len(functions) == 1:
                return functions[0]
            what = "You must provide a function logical ID when there are more than one functions in your template"
            raise LocalError(what if functions else "there is no function in the template", where=str(self.path),
                             hint=f"Possible options in your template: [{known}]" if functions else "")  # fmt: skip
        for function in (
            *(each for each in functions if each.logical_id == identifier),
            *(each for each in functions if each.function_name == identifier),
        ):
            return function
        hint = f"Possible options in your template: [{known}]"
        raise LocalError(f"Function {identifier} not found in template", hint=hint)


def find(given: Path | None) -> Path:
    """The template to use: the one given, else what `sam build` made, else the one here. Source: SAM CLI.

    Raises:
        LocalError: there is none.
    """
    asked = given or (Path(os.environ["SAM_TEMPLATE_FILE"]) if os.environ.get("SAM_TEMPLATE_FILE") else None)
    if asked is None or str(asked) in _NAMES:
        built = Path.cwd() / _BUILT
        if built.is_file():
            return built
    candidates = [asked] if asked is not None else [Path(name) for name in _NAMES]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.absolute()
    raise LocalError(f"Template file not found at {Path(candidates[0]).absolute()}", hint="name it with --template")


def load(path: Path, parameters: Mapping[str, str]) -> Project:
    """The template at `path`.

    Raises:
        InvalidInput: every mistake in it.
        LocalError: it cannot be read.
    """
    try:
        text = path.read_bytes()
    except OSError as problem:
        raise LocalError("the template cannot be read", where=str(path), why=problem.strerror or "") from None
    included: list[Path] = []

    def read(name: str) -> bytes:
        included.append(path.parent / name)
        return included[-1].read_bytes()

    return Project(path, load_local(text, _shown(path), parameters, read), tuple(included))


def overrides(texts: Sequence[str]) -> dict[str, str]:
    """Parameters from `Key=Value` and `ParameterKey=Key,ParameterValue=Value`, several in one text or in many.

    Raises:
        LocalError: a text that is neither.
    """
    import shlex

    found: dict[str, str] = {}
    for text in texts:
        for pair in shlex.split(text):
            if pair.startswith("ParameterKey="):
                key, _, value = pair.removeprefix("ParameterKey=").partition(",ParameterValue=")
            else:
                key, equals, value = pair.partition("=")
                if not equals:
                    what = f"'{pair}' is not in valid format"
                    hint = "write Key=Value or ParameterKey=Key,ParameterValue=Value"
                    raise LocalError(what, where="--parameter-overrides", hint=hint)
            found[key.strip('"')] = value.strip('"')
    return found


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
