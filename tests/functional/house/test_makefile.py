"""The menu, the lock and the bootstrap: what a newcomer meets first."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def test_the_menu_names_every_target_and_no_other() -> None:
    """`make` alone prints one line per target that a person may ask for."""
    menu = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, text=True, capture_output=True, check=True).stdout
    offered = re.findall(r"^make (\w+) ", menu, re.MULTILINE)
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert ["menu", *offered] == phony[1].split()
    assert len(menu.splitlines()) <= 10


def test_every_package_in_the_lock_has_hashes_and_none_an_address() -> None:
    """A package is what its hash says, wherever it is fetched from."""
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    entries = re.split(r"\n(?=\S)", lock.strip())
    assert len(entries) > 100
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert [entry for entry in entries if not re.match(r"[\w.-]+==\S+", entry)] == []


def test_the_lock_builds_the_project_without_a_network() -> None:
    """The build system that pyproject names is in the lock, in the same version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lock = (ROOT / "requirements.lock").read_text()
    for requirement in project["build-system"]["requires"]:
        assert re.search(rf"^{re.escape(requirement)} ", lock, re.MULTILINE)


@pytest.fixture
def bare_machine(tmp_path: Path) -> Path:
    """A copy of the bootstrap beside a PATH that holds the basic tools and no Python at all."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/bootstrap.sh", tmp_path / "scripts")
    (tmp_path / "bin").mkdir()
    for tool in ("sh", "dirname", "id", "date", "sed", "awk", "cut"):
        where = shutil.which(tool)
        assert where is not None
        (tmp_path / "bin" / tool).symlink_to(where)
    return tmp_path


def bootstrap(machine: Path) -> subprocess.CompletedProcess[str]:
    """Runs the copy with nothing but that PATH."""
    environment = {**os.environ, "PATH": str(machine / "bin")}
    environment.pop("PYTHON", None)
    command = [str(machine / "bin/sh"), "scripts/bootstrap.sh"]
    return subprocess.run(
        command, cwd=machine, env=environment, text=True, capture_output=True, check=False, timeout=60
    )


def fake_python(machine: Path, name: str, version: str, ensurepip: bool) -> None:
    """Puts an executable into PATH that answers the bootstrap's questions as such a Python would."""
    major, minor = version.split(".")
    old = "exit 1" if (int(major), int(minor)) < (3, 11) else "exit 0"
    answer = "exit 0" if ensurepip else "exit 1"
    text = f'#!/bin/sh\ncase "$2" in *ensurepip*) {answer};; *"%d.%d"*) echo {version};; *version_info*) {old};; esac\n'
    script = machine / "bin" / name
    script.write_text(text)
    script.chmod(0o755)


def test_without_a_new_enough_python_the_message_says_which_were_tried(bare_machine: Path) -> None:
    """An old python3 is no help; the message names what to do."""
    fake_python(bare_machine, "python3", "3.9", ensurepip=True)
    done = bootstrap(bare_machine)
    assert done.returncode == 5
    assert "no Python 3.11 or newer found" in done.stderr
    assert "make PYTHON=" in done.stderr


def test_without_ensurepip_the_message_names_debians_package(bare_machine: Path) -> None:
    """Without apt-get at hand, the person is told what to install."""
    fake_python(bare_machine, "python3", "3.12", ensurepip=False)
    done = bootstrap(bare_machine)
    assert done.returncode == 5
    assert "apt-get install python3.12-venv" in done.stderr


def test_a_newer_python_is_found_behind_an_old_python3(bare_machine: Path) -> None:
    """python3.13 is taken when python3 is too old, and its package is named when it lacks ensurepip."""
    fake_python(bare_machine, "python3", "3.9", ensurepip=True)
    fake_python(bare_machine, "python3.13", "3.13", ensurepip=False)
    assert "python3.13-venv" in bootstrap(bare_machine).stderr
