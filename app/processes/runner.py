"""`python -m app.processes.runner --name runner-1`: the warm process that advances executions.

It needs the environment of `prefect_home.client_environment`: Prefect reads it when it is imported.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from app import settings, wiring
from app.processes import logs
from core.clock import SystemClock
from pipelines.engine import runner


def main() -> int:
    """Drive executions until SIGTERM or SIGINT; 0."""
    parser = argparse.ArgumentParser(prog="python -m app.processes.runner")
    parser.add_argument("--name", required=True)
    name: str = parser.parse_args().name
    here = settings.read(os.environ, Path.cwd())
    logs.begin(here)
    here.run_directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    clock = SystemClock()
    store = wiring.database(here, clock)
    try:
        dependencies = wiring.dependencies(here, store, clock, os.environ)
        return runner.main(dependencies, name=name, secrets=wiring.secrets_of(here, os.environ))
    finally:
        store.close()


if __name__ == "__main__":
    sys.exit(main())
