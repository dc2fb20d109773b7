"""A real git repository for tests, free of the machine's own settings."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class Repository:
    """A repository at `directory`, made when it is not there; `bare` for one without a work tree."""

    def __init__(self, directory: Path, branch: str = "main", *, bare: bool = False) -> None:
        self.directory = directory
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory.parent),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.com",
        }
        if not directory.exists():
            directory.mkdir(parents=True)
            self.git("init", "--quiet", f"--initial-branch={branch}", *(["--bare"] if bare else []))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A git command, with what it printed."""
        return subprocess.run(
            ["git", *arguments], cwd=self.directory, env=self.environment, capture_output=True, text=True, check=False
        )

    def git(self, *arguments: str) -> str:
        """What a git command that must succeed prints."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def commit(self, files: dict[str, str] | None = None, message: str = "change") -> str:
        """The id of a new commit with `files` written (an empty commit without)."""
        for name, text in (files or {}).items():
            path = self.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            self.git("add", "--", name)
        self.git("commit", "--quiet", "--allow-empty", f"--message={message}")
        return self.head()

    def head(self) -> str:
        """The commit HEAD is at."""
        return self.git("rev-parse", "HEAD")
