"""What is in force, and a sentence for each thing that is not. Pure."""

from __future__ import annotations

from runtime.isolation.cgroups import CPU, MEMORY, PROCESSES, Places
from runtime.isolation.launcher import Hello
from runtime.isolation.spec import Isolation

_TEMPORARY = {"image": "a file system of its size", "memory": "memory of its size", "none": "none"}


def describe(hello: Hello, places: Places) -> Isolation:
    """For sandboxes of a template that said `hello`, with control groups at `places`."""
    memory = f"cgroup v{places[MEMORY].version}" if MEMORY in places else "watched"
    return Isolation(
        namespaces=hello.mode != "none",
        memory=memory,
        cpu=f"cgroup v{places[CPU].version}" if CPU in places else "none",
        temporary=_TEMPORARY[hello.temporary],
        warnings=tuple(_warnings(hello, places)),
    )


def _warnings(hello: Hello, places: Places) -> list[str]:
    found = []
    if hello.mode == "none":
        found.append(
            "functions are NOT isolated: they run as the user of this server, see its files and processes, share "
            f"its /tmp, whose size is not enforced, and can change their own code ({hello.refused})"
        )
    if hello.mode == "user":
        found.append("environments share one user id: one could use another's Runtime API")
    if hello.temporary == "memory":
        found.append("/tmp is kept in memory; its size is enforced")  # noqa: S108
    if MEMORY not in places:
        found.append("memory is watched ten times a second, not limited: control groups cannot be used")
    if CPU not in places:
        found.append("processor time is not limited: control groups cannot be used")
    if PROCESSES not in places and hello.mode == "none":
        found.append("the number of processes is not limited")
    return found
