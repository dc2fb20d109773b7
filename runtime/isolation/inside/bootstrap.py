"""Runs a Python handler: puts sys.path in Lambda's order and hands over to the Runtime API client.

Started by an interpreter of its own, or run in a process that was forked from one. Source: reference §16, search paths.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def main(layers: str = "/opt") -> None:
    """Until the process is ended. `layers` is where the layers are seen."""
    runtime = os.environ["LAMBDA_RUNTIME_DIR"]
    del sys.argv[1:]
    ours = {runtime, sys.path[0], *os.environ.get("PYTHONPATH", "").split(":")}
    standard = [entry for entry in sys.path if entry not in ours]
    sys.path[:] = [runtime, *standard]
    from awslambdaric.__main__ import main as run

    sys.path[:] = [*first(os.environ, layers), *standard]
    run(["bootstrap.py", os.environ["_HANDLER"]])


def first(environment: "Mapping[str, str]", layers: str) -> list[str]:
    """The function's code, its own PYTHONPATH if it set one, its layers, the runtime."""
    runtime = environment["LAMBDA_RUNTIME_DIR"]
    own = [entry for entry in environment.get("PYTHONPATH", "").split(":") if entry and entry != runtime]
    version = environment["AWS_EXECUTION_ENV"].removeprefix("AWS_Lambda_")  # the one that was asked for
    packages = f"{layers}/python/lib/{version}/site-packages"
    return [environment["LAMBDA_TASK_ROOT"], *own, packages, f"{layers}/python", runtime]


if __name__ == "__main__":
    main(*sys.argv[1:2])
