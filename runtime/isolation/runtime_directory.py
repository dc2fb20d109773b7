"""LAMBDA_RUNTIME_DIR of Python: the Runtime API client and boto3 with what they need, nothing else."""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import sysconfig
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from core.errors import Unavailable

_ROOTS = ("awslambdaric", "boto3")
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def entries() -> dict[str, Path]:
    """What is in it: name → where it is installed.

    Raises:
        Unavailable: the Runtime API client is not installed.
    """
    return {entry.name: entry for dist in _needed().values() for entry in _top_level(dist)}


def build(root: Path) -> Path:
    """A directory of links, under `root`, made if it does not fit the packages that are installed now.

    Raises:
        Unavailable: the Runtime API client is not installed.
    """
    found = _needed()
    versions = sorted(f"{name}=={dist.version}" for name, dist in found.items())
    seed = "\n".join([sysconfig.get_path("purelib"), *versions])
    directory = (
        root / f"python{sys.version_info[0]}.{sys.version_info[1]}-{hashlib.sha256(seed.encode()).hexdigest()[:12]}"
    )
    if directory.is_dir():
        return directory
    temporary = root / f".{directory.name}.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    for dist in found.values():
        for entry in _top_level(dist):
            (temporary / entry.name).symlink_to(entry)
    temporary.rename(directory)
    return directory


def _needed() -> dict[str, Distribution]:
    found = _closure(_ROOTS)
    if "awslambdaric" not in found:
        raise Unavailable("the Runtime API client awslambdaric is not installed", hint="pip install awslambdaric")
    return found


def _closure(roots: tuple[str, ...]) -> dict[str, Distribution]:
    """The installed distributions that `roots` need, themselves included. Extras and absent ones are left out."""
    found: dict[str, Distribution] = {}
    todo = list(roots)
    while todo:
        name = _normal(todo.pop())
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # needed only under a marker that does not hold here
        for requirement in found[name].requires or ():
            match = _NAME.match(requirement)
            if match is not None and "extra ==" not in requirement:
                todo.append(match.group())
    return found


def _top_level(dist: Distribution) -> list[Path]:
    """What the distribution put directly into site-packages."""
    names = {file.parts[0] for file in dist.files or () if file.parts[0] not in {"..", "__pycache__"}}
    base = Path(str(dist.locate_file("")))
    return [base / name for name in sorted(names) if (base / name).exists()]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
