"""How a function version is run: what is started, its arguments and search paths. Pure. Source: reference §4, §16."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from runtime.catalog.records import FunctionVersion
from runtime.environment.runtimes.facts import Entry, Files, Machine
from runtime.isolation.spec import Paths

NODE_DIRECTORY = Path(__file__).with_name("node")
"""The Node.js Runtime API client."""
_NODE_INSIDE = "/var/lang/bin/node"
_HEAP_SHARE = 0.9
"""How much of a function's memory Node.js may use for its heap."""
_PATH = "/usr/local/bin:/usr/bin/:/bin:/opt/bin"


class Kind(StrEnum):
    """What runs the handler."""

    PYTHON = "python"
    NODE = "nodejs"
    PROVIDED = "provided"
    IMAGE = "image"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the sandbox has to show besides code and layers."""

    runtime_directory: Path | None = None
    programs: tuple[tuple[Path, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RuntimePlan:
    """How the runtime process of a function version is started."""

    kind: Kind
    shown: str
    """What INIT_START calls the runtime; empty for images."""
    arguments: tuple[str, ...]
    """Empty: the Python handler, by fork."""
    directory: str
    variables: Mapping[str, str] | None = None
    """Search paths: defaults, which the function's own variables override."""
    warnings: tuple[str, ...] = ()
    obstacle: str = ""
    """Why it cannot be started: the message of Runtime.InvalidEntrypoint; empty when it can."""


def kind_of(version: FunctionVersion) -> Kind:
    """What runs this version; only for runtimes that control/settings accepts."""
    if version.is_image:
        return Kind.IMAGE
    runtime: str = version.settings["Runtime"]
    return next(kind for kind in Kind if runtime.startswith(kind.value))


def surroundings(kind: Kind, machine: Machine) -> Surroundings:
    """What the sandbox shows for this kind."""
    if kind is Kind.NODE and machine.node is not None:
        return Surroundings(NODE_DIRECTORY, ((machine.node, _NODE_INSIDE),))
    return Surroundings()


def plan(version: FunctionVersion, files: Files, machine: Machine, paths: Paths, *, isolated: bool) -> RuntimePlan:
    """How `version` is run in a sandbox with these `paths`; `isolated` says that it has a root of its own."""
    kind = kind_of(version)
    if kind is Kind.PYTHON:
        return _python(version, machine, paths)
    if kind is Kind.NODE:
        return _node(version, machine, paths, _NODE_INSIDE if isolated else str(machine.node))
    if kind is Kind.PROVIDED:
        return _provided(version, files, paths)
    return RuntimePlan(kind, "", (), directory="")


def extension_path(entry: Entry, paths: Paths) -> str:
    """Where the extension is for a process inside."""
    return f"{paths.layers}/{entry.name}"


def _python(version: FunctionVersion, machine: Machine, paths: Paths) -> RuntimePlan:
    runtime: str = version.settings["Runtime"]
    own = version.settings.get("Environment", {}).get("Variables", {})
    warnings = []
    if runtime != f"python{_minor(machine.python)}":
        warnings.append(f"{runtime} was asked for; this machine runs it on python{machine.python}")
    wrapper, arguments = own.get("AWS_LAMBDA_EXEC_WRAPPER"), ()
    if wrapper and paths.interpreter:
        arguments = (wrapper, *paths.interpreter)
    elif wrapper:
        warnings.append("AWS_LAMBDA_EXEC_WRAPPER has no effect for Python in this sandbox")
    return RuntimePlan(
        Kind.PYTHON,
        f"python:{machine.python}",
        arguments,
        directory=paths.task_root,
        variables={"PYTHONPATH": paths.runtime_directory, **_common(paths)},
        warnings=tuple(warnings),
    )


def _node(version: FunctionVersion, machine: Machine, paths: Paths, program: str) -> RuntimePlan:
    runtime: str = version.settings["Runtime"]
    major = runtime.removeprefix("nodejs").removesuffix(".x")
    own = version.settings.get("Environment", {}).get("Variables", {})
    heap_mb = int(version.settings["MemorySize"] * _HEAP_SHARE)
    arguments: tuple[str, ...] = (program, f"--max-old-space-size={heap_mb}", f"{paths.runtime_directory}/index.cjs")
    if own.get("AWS_LAMBDA_EXEC_WRAPPER"):
        arguments = (own["AWS_LAMBDA_EXEC_WRAPPER"], *arguments)
    modules = (
        f"{paths.layers}/nodejs/node{major}/node_modules",
        f"{paths.layers}/nodejs/node_modules",
        f"{paths.runtime_directory}/node_modules",
        paths.runtime_directory,
        paths.task_root,
    )
    different = machine.node_version.split(".")[0] != major
    warning = f"{runtime} was asked for; this machine runs it on Node.js {machine.node_version}"
    return RuntimePlan(
        Kind.NODE,
        f"nodejs:{machine.node_version}",
        arguments,
        directory=paths.task_root,
        variables={"NODE_PATH": ":".join(modules), **_common(paths)},
        warnings=(warning,) if different and machine.node is not None else (),
        obstacle="" if machine.node is not None else f"{runtime} needs the program node on this machine's PATH",
    )


def _provided(version: FunctionVersion, files: Files, paths: Paths) -> RuntimePlan:
    runtime: str = version.settings["Runtime"]
    roots = {"task": paths.task_root, "layers": paths.layers}
    found = [(f"{roots[entry.where]}/{entry.name}", entry.obstacle) for entry in files.bootstraps]
    obstacle = (
        "" if found else f"Couldn't find valid bootstrap(s): [{paths.task_root}/bootstrap {paths.layers}/bootstrap]"
    )
    if found and found[0][1]:
        obstacle = f"fork/exec {found[0][0]}: {found[0][1]}"
    system = f"{runtime} was asked for; it runs on this machine's own system, not on Amazon Linux"
    return RuntimePlan(
        Kind.PROVIDED,
        runtime.replace(".", ":", 1),
        (found[0][0],) if found else (),
        directory=paths.task_root,
        variables=_common(paths),
        warnings=(system,),
        obstacle=obstacle,
    )


def _common(paths: Paths) -> dict[str, str]:
    libraries = (paths.runtime_directory, paths.task_root, f"{paths.task_root}/lib", f"{paths.layers}/lib")
    return {"PATH": _PATH.replace("/opt", paths.layers), "LD_LIBRARY_PATH": ":".join(libraries)}


def _minor(version: str) -> str:
    match = re.match(r"\d+\.\d+", version)
    return match.group() if match else version
