"""Where this installation keeps its things and how its processes listen: read from the environment, once.

Plain dataclasses and the standard library only, because every command line call pays for this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import InvalidInput

PIPELINE_FILE = "pipeline.yaml"
HOME_DIRECTORY = ".penstock"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True)
class Settings:
    """`home` is PENSTOCK_HOME; `pipeline_file` the file `run` starts by default. Ports: 0 means any free one."""

    home: Path
    pipeline_file: Path
    database_url: str
    api_port: int = 0
    runtime_port: int = 0
    prefect_port: int = 0
    log_level: str = "INFO"

    @property
    def run_directory(self) -> Path:
        """Announcements, locks and sockets of the running processes."""
        return self.home / "run"

    @property
    def log_directory(self) -> Path:
        """Logs of processes and of actions."""
        return self.home / "logs"

    @property
    def token_file(self) -> Path:
        """The bearer token of the API (0600)."""
        return self.home / "token"

    def announcement(self, name: str) -> Path:
        """Where the process `name` says its pid, port and URL."""
        return self.run_directory / f"{name}.json"

    def environment(self) -> dict[str, str]:
        """The variables from which a child process reads these same settings."""
        return {
            "PENSTOCK_HOME": str(self.home),
            "PENSTOCK_DATABASE_URL": self.database_url,
            "PENSTOCK_API_PORT": str(self.api_port),
            "PENSTOCK_RUNTIME_PORT": str(self.runtime_port),
            "PENSTOCK_PREFECT_PORT": str(self.prefect_port),
            "PENSTOCK_LOG_LEVEL": self.log_level,
        }


def read(environ: Mapping[str, str], cwd: Path, *, file: Path | None = None) -> Settings:
    """The settings of a command started in `cwd` with `environ`; `file` is the pipeline file the user named, if any.

    Raises:
        InvalidInput: a port or log level that is none.
    """
    pipeline_file = (cwd / file).absolute() if file is not None else _find_pipeline_file(cwd.absolute())
    home_text = environ.get("PENSTOCK_HOME", "")
    home = (cwd / Path(home_text).expanduser()).absolute() if home_text else pipeline_file.parent / HOME_DIRECTORY
    level = environ.get("PENSTOCK_LOG_LEVEL", "INFO").upper()
    if level not in LOG_LEVELS:
        raise InvalidInput(
            f"{level!r} is no log level", where="PENSTOCK_LOG_LEVEL", hint="use " + ", ".join(LOG_LEVELS)
        )
    return Settings(
        home=home,
        pipeline_file=pipeline_file,
        database_url=environ.get("PENSTOCK_DATABASE_URL") or f"sqlite:///{home / 'penstock.db'}",
        api_port=_port(environ, "PENSTOCK_API_PORT"),
        runtime_port=_port(environ, "PENSTOCK_RUNTIME_PORT"),
        prefect_port=_port(environ, "PENSTOCK_PREFECT_PORT"),
        log_level=level,
    )


def _find_pipeline_file(cwd: Path) -> Path:
    """The pipeline.yaml of the nearest directory that has one or a home of ours; else the one `cwd` would have."""
    for directory in (cwd, *cwd.parents):
        if (directory / PIPELINE_FILE).is_file() or (directory / HOME_DIRECTORY).is_dir():
            return directory / PIPELINE_FILE
    return cwd / PIPELINE_FILE


def _port(environ: Mapping[str, str], name: str) -> int:
    text = environ.get(name, "0") or "0"
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise InvalidInput(
            f"{text!r} is no port", where=name, hint="use a number from 0 to 65535, 0 means any free one"
        )
    return int(text)
