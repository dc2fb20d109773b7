"""A build's own files: copies of the input artifacts that its commands may change."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from core.errors import InvalidInput
from stages.base import ActionContext


def private_copies(context: ActionContext, folder: Path) -> Mapping[str, Path]:
    """Every input artifact → a directory of its own below `folder` with the artifact's files. Links stay links."""
    copies = {name: folder / "src" / name for name in context.input_artifacts}
    for name, directory in copies.items():
        shutil.copytree(context.input(name), directory, symlinks=True)
    return copies


def primary_input(context: ActionContext, chosen: str | None) -> str:
    """The input artifact that the commands start in.

    Raises:
        InvalidInput: with several inputs none is chosen, or one that is none of them.
    """
    inputs = context.input_artifacts
    if chosen is None and len(inputs) == 1:
        return inputs[0]
    names = ", ".join(inputs)
    if chosen is None:
        raise InvalidInput("with several input artifacts one must be the primarySource", hint=f"name one of {names}")
    if chosen not in inputs:
        raise InvalidInput(f"primarySource '{chosen}' is no input artifact of this action", hint=f"name one of {names}")
    return chosen
