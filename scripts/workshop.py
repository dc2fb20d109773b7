"""A git repository made from the orders example, and Penstock used on it as a person would: by its command line."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples/orders"
PENSTOCK = Path(sys.executable).with_name("penstock")
# What a person's shell would not have set: it would steer Penstock, git or AWS clients away from the workshop.
FOREIGN = re.compile(r"^(PENSTOCK_|PREFECT_|AWS_|GIT_|PYTHONDONTWRITEBYTECODE$|PYTHONPATH$)")


class Workshop:
    """The repository in `folder` (made anew by `begin`), with `.penstock/` inside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / ".penstock"
        kept = {key: value for key, value in os.environ.items() if not FOREIGN.match(key)}
        self.environment = {**kept, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "COLUMNS": "120"}

    def begin(self) -> None:
        """Makes the repository anew on branch main, from the example without its changes; commits nothing yet."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(EXAMPLE, self.folder, ignore=shutil.ignore_patterns("changes", "__pycache__", ".penstock"))
        self.git("init", "--quiet", "--initial-branch", "main")
        self.git("config", "user.name", "Ada")
        self.git("config", "user.email", "ada@example.com")

    def apply(self, change: str) -> None:
        """Applies one of the example's changes to the work tree."""
        self.git("apply", str(EXAMPLE / "changes" / change))

    def commit(self, message: str) -> str:
        """Commits everything; the commit's id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD").strip()

    def git(self, *arguments: str) -> str:
        """What git printed. Raises: RuntimeError."""
        command = ["git", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, text=True, capture_output=True, check=False, timeout=60
        )
        if done.returncode != 0:
            raise RuntimeError(f"{shlex.join(command)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def penstock(self, *arguments: str, timeout_s: float = 300, show: bool = False) -> subprocess.CompletedProcess[str]:
        """One `penstock` command; `show` lets it print to the terminal instead of being kept."""
        return subprocess.run(
            [str(PENSTOCK), *arguments],
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=None if show else subprocess.PIPE,
            stderr=None if show else subprocess.PIPE,
            timeout=timeout_s,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        """What a `penstock` command says with --json. Raises: RuntimeError when it fails."""
        done = self.penstock(*arguments, "--json")
        if done.returncode != 0:
            raise RuntimeError(f"penstock {shlex.join(arguments)} ended with {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    def up(self) -> None:
        """Starts the servers. Raises: RuntimeError when they do not come up."""
        done = self.penstock("up", timeout_s=120)
        if done.returncode != 0:
            raise RuntimeError(f"penstock up ended with {done.returncode}: {done.stdout}{done.stderr}")

    def down(self) -> None:
        """Stops the servers, if they run."""
        if self.home.is_dir():
            self.penstock("down", timeout_s=60)

    def aws(self) -> dict[str, str]:
        """The variables `penstock env` exports: endpoint, region and credentials of the local runtime."""
        done = self.penstock("env")
        words = [word for line in done.stdout.splitlines() for word in shlex.split(line, comments=True)]
        found = dict(word.split("=", 1) for word in words if "=" in word)
        if "AWS_ENDPOINT_URL" not in found:
            raise RuntimeError(f"penstock env ended with {done.returncode}: {done.stdout}{done.stderr}")
        return found

    def client(self, service: str) -> Any:
        """A boto3 client for the local runtime."""
        aws = self.aws()
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=aws["AWS_ENDPOINT_URL"],
            region_name=aws["AWS_DEFAULT_REGION"],
            aws_access_key_id=aws["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=aws["AWS_SECRET_ACCESS_KEY"],
        )

    def alias(self, function: str = "orders", name: str = "live") -> tuple[str, Mapping[str, float]]:
        """The alias's version, and the additional versions with their weights ({} when it is whole)."""
        answer = self.client("lambda").get_alias(FunctionName=function, Name=name)
        return answer["FunctionVersion"], (answer.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
