"""Puts the peers into a cache folder, each in its own environment, compiled as a user's installation would be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".benchmarks"


def environment(**more: str) -> dict[str, str]:
    """This process's environment, with compiled bytecode allowed (else every start-up figure is inflated)."""
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")}
    return {**kept, "DO_NOT_TRACK": "1", **more}


def run(command: Sequence[str | Path], cwd: Path, **env: str) -> str:
    """The standard output of a command that must succeed; its complaints are shown when it does not."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment(**env),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def python_environment(name: str, packages: Sequence[str]) -> Path:
    """The folder of a virtual environment with `packages` in it; made once."""
    folder = CACHE / name / "venv"
    done = folder / ".ready"
    wanted = "\n".join(packages)
    if done.is_file() and done.read_text() == wanted:
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    uv = Path(sys.executable).with_name("uv")
    run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder], ROOT)
    run([uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", folder / "bin/python", *packages], ROOT)
    done.write_text(wanted)
    return folder


def npm_package(name: str, package: str) -> Path:
    """The folder an npm package (`name@version`) was installed into; made once."""
    return npm_packages(name, (package,))


def npm_packages(name: str, packages: Sequence[str]) -> Path:
    """The folder these npm packages (`name@version`) were installed into; made once."""
    folder = CACHE / name
    done = folder / ".ready"
    wanted = "\n".join(packages)
    if done.is_file() and done.read_text() == wanted:
        return folder
    if not shutil.which("npm"):
        raise SystemExit(f"npm is needed to install {name}; leave it out with --without {name}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{"private": true}')
    run(["npm", "install", "--no-audit", "--no-fund", "--loglevel", "error", *packages], folder)
    done.write_text(wanted)
    return folder


def git_repository(folder: Path, files: Mapping[str, str]) -> Path:
    """`folder`, made anew as a git repository on branch main with one commit of `files`."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    run(["git", "init", "--quiet", "--initial-branch", "main"], folder)
    run(["git", "config", "user.email", "bench@example.com"], folder)
    run(["git", "config", "user.name", "Bench"], folder)
    run(["git", "add", "."], folder)
    run(["git", "commit", "--quiet", "--message", "Begin"], folder)
    return folder
