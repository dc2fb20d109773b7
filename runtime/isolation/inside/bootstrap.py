"""Runs a Python handler: puts sys.path in Lambda's order and hands over to the Runtime API client.

Started by an interpreter of its own, or run in a process that was forked from one. Source: reference §16, search paths.
"""

import os
import sys


def main(layers: str = "/opt") -> None:
    """Until the process is ended. `layers` is where the layers are seen."""
    runtime = os.environ["LAMBDA_RUNTIME_DIR"]
    del sys.argv[1:]
    ours = {runtime, sys.path[0], *os.environ.get("PYTHONPATH", "").split(":")}
    standard = [entry for entry in sys.path if entry not in ours]
    sys.path[:] = [runtime, *standard]
    from awslambdaric.__main__ import main as run

    sys.path[:] = [*_first(layers, runtime), *standard]
    run(["bootstrap.py", os.environ["_HANDLER"]])


def _first(layers: str, runtime: str) -> list[str]:
    """The function's code, its own PYTHONPATH if it set one, its layers, the runtime."""
    own = [entry for entry in os.environ.get("PYTHONPATH", "").split(":") if entry and entry != runtime]
    python = f"{layers}/python"
    packages = f"{python}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    return [os.environ["LAMBDA_TASK_ROOT"], *own, packages, python, runtime]


if __name__ == "__main__":
    main(*sys.argv[1:2])
