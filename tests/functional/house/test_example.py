"""The orders example tells the story the demo needs: three versions, all of which pass their own tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples/orders"
CHANGES = ("2-currency.patch", "3-fiver.patch")


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """A copy of the example in a folder of its own, as the demo makes it."""
    copy = tmp_path / "orders"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("changes", "__pycache__"))
    subprocess.run(["git", "init", "--quiet"], cwd=copy, check=True)
    return copy


def apply(orders: Path, *changes: str) -> None:
    """Applies the named changes in turn."""
    for change in changes:
        subprocess.run(["git", "apply", str(EXAMPLE / "changes" / change)], cwd=orders, check=True)


def python(orders: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python in the example, with its sources on the path."""
    environment = {**os.environ, "PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=orders,
        env=environment,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )


def answer(orders: Path, event: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """What the handler makes of an event, as JSON on standard output."""
    script = (
        "import json, sys, types; from orders import app;"
        "context = types.SimpleNamespace(aws_request_id='r');"
        "answer = app.handler(json.loads(sys.argv[1]), context); print(json.dumps(answer))"
    )
    return python(orders, "-c", script, json.dumps(event))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_every_version_passes_its_own_unit_tests(orders: Path, count: int) -> None:
    """What the build runs finds nothing wrong in any version, the bad one included."""
    apply(orders, *CHANGES[:count])
    done = python(orders, "-m", "unittest", "discover", "--start-directory", "tests")
    assert done.returncode == 0, done.stderr
    assert f"Ran {4 + count} tests" in done.stderr


@pytest.mark.parametrize(("count", "raises"), [(0, False), (1, False), (2, True)])
def test_only_the_third_version_raises_on_a_coupon_nobody_knows(orders: Path, count: int, raises: bool) -> None:
    """The fault that only live traffic shows."""
    apply(orders, *CHANGES[:count])
    done = answer(orders, {"items": [{"quantity": 1, "unitPrice": 700}], "coupon": "SUMMER"})
    assert ("KeyError" in done.stderr) is raises
    assert (done.returncode != 0) is raises


@pytest.mark.parametrize("count", [0, 1, 2])
def test_no_event_test_would_find_the_fault(orders: Path, count: int) -> None:
    """Every order sent by the event tests is answered by every version."""
    apply(orders, *CHANGES[:count])
    files = sorted((orders / "tests/events").glob("*.json"))
    assert files
    for file in files:
        event = json.loads(file.read_text())["event"]
        done = answer(orders, event)
        assert done.returncode == 0, done.stderr


def test_the_pipeline_at_the_root_is_the_examples_own() -> None:
    """Only the checkout differs: the root's repository holds the example in a directory."""
    ours = yaml.safe_load((ROOT / "pipeline.yaml").read_text())
    theirs = yaml.safe_load((EXAMPLE / "pipeline.yaml").read_text())
    checkout = ours["stages"][0]["actions"][0]
    assert checkout["configuration"] == {"repository": ".", "directory": "examples/orders"}
    checkout["configuration"] = theirs["stages"][0]["actions"][0]["configuration"]
    assert ours == theirs
