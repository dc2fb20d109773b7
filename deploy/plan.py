"""From what is wanted and what was observed to the instructions that lie between. Pure; `()` means nothing to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from core.errors import InvalidInput, NotAllowed
from deploy.observe import Observed
from deploy.ports import FunctionSettings, FunctionState
from deploy.traffic.strategy import ALL_AT_ONCE, Steps


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one function is to be: code by Lambda's CodeSha256, configuration, and how its alias gets there.

    `settings.role` "" leaves the role of an existing function alone; `role_for_new` is used to create one.
    """

    function: str
    alias: str
    settings: FunctionSettings
    code_sha256: str
    steps: Steps = ALL_AT_ONCE
    role_for_new: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that differs. Values of environment variables are never told, they may be secrets."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class CreateFunction:
    """The function does not exist yet."""

    function: str
    settings: FunctionSettings
    code_sha256: str


@dataclass(frozen=True, slots=True)
class UpdateConfiguration:
    """$LATEST has another configuration."""

    function: str
    settings: FunctionSettings
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class UpdateCode:
    """$LATEST has other code, or another architecture."""

    function: str
    code_sha256: str
    architectures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PublishVersion:
    """No published version has this code and configuration."""

    function: str
    code_sha256: str


@dataclass(frozen=True, slots=True)
class CreateAlias:
    """The alias does not exist yet; `version` None is the one that this plan publishes."""

    function: str
    alias: str
    version: str | None


@dataclass(frozen=True, slots=True)
class ShiftTraffic:
    """The alias is wholly on another version; `to_version` None is the one that this plan publishes."""

    function: str
    alias: str
    from_version: str
    to_version: str | None
    steps: Steps


Preparation = CreateFunction | UpdateConfiguration | UpdateCode | PublishVersion
Instruction = Preparation | CreateAlias | ShiftTraffic


def plan(wanted: Wanted, observed: Observed) -> tuple[Instruction, ...]:
    """The instructions, in order, that bring the target to what is wanted.

    A published version with this code and configuration is released again as it is: nothing is uploaded or published.

    Raises:
        NotAllowed: the alias is split between two versions, which no release of ours left half done.
        InvalidInput: the function must be created and no role is known.
    """
    version = matching_version(wanted, observed)
    prepare = () if version else tuple(_prepare(wanted, observed.function))
    return (*prepare, *_traffic(wanted, observed, version))


def matching_version(wanted: Wanted, observed: Observed) -> str | None:
    """The newest published version that has the wanted code and configuration."""
    for version in reversed(observed.versions):
        if version.code_sha256 == wanted.code_sha256 and not changes(wanted.settings, version.settings):
            return version.version
    return None


def changes(wanted: FunctionSettings, found: FunctionSettings) -> tuple[Change, ...]:
    """What differs between the two, in a fixed order."""
    return tuple(_changes(wanted, found))


def _changes(wanted: FunctionSettings, found: FunctionSettings) -> Iterator[Change]:
    for name in ("handler", "runtime", "memory_mb", "timeout_s", "description"):
        before, after = getattr(found, name), getattr(wanted, name)
        if before != after:
            yield Change(name, str(before), str(after))
    if wanted.role and wanted.role != found.role:
        yield Change("role", found.role, wanted.role)
    if wanted.architectures != found.architectures:
        yield Change("architectures", ", ".join(found.architectures), ", ".join(wanted.architectures))
    for key in sorted({*wanted.environment, *found.environment}):
        if wanted.environment.get(key) != found.environment.get(key):
            before = "another value" if key in found.environment else "not set"
            yield Change(f"environment.{key}", before, "set" if key in wanted.environment else "not set")


def _prepare(wanted: Wanted, found: FunctionState | None) -> Iterator[Preparation]:
    if found is None:
        role = wanted.settings.role or wanted.role_for_new
        if not role:
            raise InvalidInput(
                f"function {wanted.function} does not exist, and creating it needs a role",
                hint="give the execution role's ARN as `role` in the action's configuration",
            )
        yield CreateFunction(wanted.function, replace(wanted.settings, role=role), wanted.code_sha256)
    else:
        different = changes(wanted.settings, found.settings)
        by_configuration = tuple(change for change in different if change.name != "architectures")
        if by_configuration:
            yield UpdateConfiguration(wanted.function, wanted.settings, by_configuration)
        if found.code_sha256 != wanted.code_sha256 or len(by_configuration) != len(different):
            yield UpdateCode(wanted.function, wanted.code_sha256, wanted.settings.architectures)
    yield PublishVersion(wanted.function, wanted.code_sha256)


def _traffic(wanted: Wanted, observed: Observed, version: str | None) -> Iterator[CreateAlias | ShiftTraffic]:
    if observed.alias is None:
        yield CreateAlias(wanted.function, wanted.alias, version)
        return
    routing = observed.alias.routing
    if routing.split:
        raise NotAllowed(
            f"alias {wanted.function}:{wanted.alias} is split between two versions already ({routing})",
            why="no unfinished deployment of ours did that",
            hint="put it on one version first: "
            f"penstock rollback {wanted.function}:{wanted.alias} --to {routing.version}",
        )
    if routing.version != version:
        yield ShiftTraffic(wanted.function, wanted.alias, routing.version, version, wanted.steps)
