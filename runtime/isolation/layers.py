"""Layers as one directory, where the kernel does not lay them over each other."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path


def merge(layers: Sequence[Path], directory: Path) -> Path:
    """Where they are seen as one: the only one itself, or `directory`, into which they are copied, a later one over
    earlier ones. What is a file in one and a directory in another is what the later one says."""
    if len(layers) == 1:
        return layers[0]
    directory.mkdir(parents=True, exist_ok=True)
    for layer in layers:
        _lay_over(layer, directory)
    return directory


def _lay_over(layer: Path, directory: Path) -> None:
    for entry in layer.iterdir():
        target = directory / entry.name
        is_directory = entry.is_dir() and not entry.is_symlink()
        stays = is_directory and target.is_dir() and not target.is_symlink()
        if not stays:
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            else:
                target.unlink(missing_ok=True)
        if not is_directory:
            shutil.copy2(entry, target, follow_symlinks=False)
            continue
        if not stays:
            target.mkdir()
            shutil.copystat(entry, target)
        _lay_over(entry, target)
