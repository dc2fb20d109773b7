"""What an environment of a version consists of: its sandbox, its processes, their variables, its log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.clock import Clock
from core.ids import Ids
from runtime.catalog.records import FunctionVersion
from runtime.control.settings import runtime_version_arn, without_effect
from runtime.environment.crew import Cast
from runtime.environment.ending import RUNTIME
from runtime.environment.runtimes import observe
from runtime.environment.runtimes.facts import Files, Machine
from runtime.environment.runtimes.images.sandboxes import Containers
from runtime.environment.runtimes.images.spec import ImageSpec
from runtime.environment.runtimes.plan import Kind, RuntimePlan, extension_path, kind_of, plan, surroundings
from runtime.environment.telemetry.events import Level
from runtime.environment.variables import Place, for_extension, variables
from runtime.http import Handler, Streams
from runtime.isolation.spec import Paths, ProcessSpec, Sandbox, Sandboxes, SandboxSpec
from runtime.logs import Logs, LogStream
from runtime.names import Scope
from runtime.policy.sessions import Credentials

_PROVISIONED_INIT_S = 130.0
"""Source: reference §3, init with provisioned concurrency; the function's timeout when that is longer."""
_A_WEEK_S = 604_800


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every environment of a server is made with."""

    sandboxes: Sandboxes
    containers: Containers
    """Sandboxes for functions from images."""
    logs: Logs
    clock: Clock
    ids: Ids
    scope: Scope
    endpoint_url: str
    machine: Machine
    credentials: Callable[[FunctionVersion], Credentials]
    role_warning: Callable[[FunctionVersion], str]
    """What the log says about the execution role; empty for nothing."""
    init_timeout_s: float = 10.0
    untimed: bool = False
    """Whether no invocation is ended for taking too long."""


@dataclass(frozen=True, slots=True)
class Package:
    """Where a version's files are on this machine."""

    task_root: Path | None
    layers: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Assembly:
    """One environment's parts."""

    sandbox: Sandbox
    cast: Cast
    stream: LogStream
    stream_name: str
    system_level: Level | None
    """From which level on the system log is written; None when the log is text."""
    runtime_shown: str
    runtime_arn: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """What an environment may take."""

    timeout_s: int
    init_s: float
    memory_mb: int


def limits(version: FunctionVersion, workshop: Workshop, *, provisioned: bool) -> Limits:
    """The limits of an environment of that version."""
    timeout_s: int = _A_WEEK_S if workshop.untimed else version.settings["Timeout"]
    init_s = max(_PROVISIONED_INIT_S, timeout_s) if provisioned else workshop.init_timeout_s
    return Limits(timeout_s, init_s, version.settings["MemorySize"])


def assemble(
    version: FunctionVersion,
    package: Package,
    workshop: Workshop,
    initialization: str,
    on_request: Handler,
    streams: Streams,
) -> Assembly:
    """The parts of a new environment; its sandbox exists, no process has been started."""
    settings = version.settings
    kind = kind_of(version)
    around = surroundings(kind, workshop.machine)
    files = observe.files(package.task_root, package.layers)
    spec = SandboxSpec(
        owner=workshop.scope.arn(version.name, version.version),
        task_root=package.task_root,
        layers=package.layers,
        memory_mb=settings["MemorySize"],
        temporary_mb=settings.get("EphemeralStorage", {}).get("Size", 512),
        runtime_directory=around.runtime_directory,
        programs=around.programs,
        named=bool(files.extensions),
    )
    if kind is Kind.IMAGE:
        sandbox: Sandbox = workshop.containers.create(_image(version), spec, on_request, streams)
    else:
        sandbox = workshop.sandboxes.create(spec, on_request, streams)
    planned = plan(version, files, workshop.machine, sandbox.paths, isolated=sandbox.isolation.namespaces)
    logging = settings.get("LoggingConfig", {})
    group = logging.get("LogGroup") or f"/aws/lambda/{version.name}"
    name = _stream_name(version, workshop, own_group="LogGroup" in logging)
    place = Place(
        region=workshop.scope.region,
        endpoint_url=workshop.endpoint_url,
        runtime_api=sandbox.address,
        task_root=sandbox.paths.task_root,
        runtime_directory=sandbox.paths.runtime_directory,
        temporary=sandbox.paths.temporary,
        log_group=group,
        log_stream=name,
        initialization=initialization,
        credentials=workshop.credentials(version),
    )
    is_json = logging.get("LogFormat") == "JSON"
    return Assembly(
        sandbox=sandbox,
        cast=cast(version, planned, files, place, sandbox.paths, workshop.scope.account),
        stream=workshop.logs.stream(group, name),
        stream_name=name,
        system_level=Level[logging.get("SystemLogLevel", "INFO")] if is_json else None,
        runtime_shown=planned.shown,
        runtime_arn=runtime_version_arn(settings["Runtime"], workshop.scope) if kind is not Kind.IMAGE else "",
        warnings=(
            *planned.warnings,
            *sandbox.isolation.warnings,
            *_ineffective(version),
            *filter(None, [workshop.role_warning(version)]),
        ),
    )


def cast(
    version: FunctionVersion, planned: RuntimePlan, files: Files, place: Place, paths: Paths, account: str
) -> Cast:
    """The processes of an environment."""
    environment = variables(version, place, planned.variables or {})
    runtime = ProcessSpec(RUNTIME, planned.arguments, environment, planned.directory)
    limited = for_extension(environment)
    extensions = tuple(
        (
            ProcessSpec(entry.name.rpartition("/")[2], (extension_path(entry, paths),), limited, "/"),
            entry.obstacle,
        )
        for entry in files.extensions
    )
    function = {
        "functionName": version.name,
        "functionVersion": version.version,
        "handler": version.settings.get("Handler", ""),
    }
    return Cast(runtime, planned.obstacle, extensions, function, account)


def _image(version: FunctionVersion) -> ImageSpec:
    """What is run: the image as it was when its name was resolved."""
    config = version.settings.get("ImageConfig", {})
    return ImageSpec(
        reference=f"sha256:{version.code_sha256}" if version.code_sha256 else version.image_uri,
        entry_point=tuple(config.get("EntryPoint") or ()),
        command=tuple(config.get("Command") or ()),
        working_directory=config.get("WorkingDirectory") or "",
    )


def _stream_name(version: FunctionVersion, workshop: Workshop, *, own_group: bool) -> str:
    """`2026/11/23/[1]0123…`; with the function's name when the group may be shared. Source: reference §4."""
    identity = workshop.ids.uuid().replace("-", "")
    function = version.name if own_group else ""
    return f"{workshop.clock.now():%Y/%m/%d}/{function}[{version.version}]{identity}"


def _ineffective(version: FunctionVersion) -> list[str]:
    return [f"{name} is recorded but has no effect in this local runtime" for name in without_effect(version.settings)]
