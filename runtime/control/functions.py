"""The operations on functions and their versions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from core.clock import Clock
from core.ids import Ids
from runtime.api.errors import ApiError, conflict, invalid, not_found
from runtime.catalog.code import BadPackage, CodeStore
from runtime.catalog.records import FunctionVersion, State, UpdateStatus
from runtime.catalog.store import Catalog
from runtime.control import settings as rules
from runtime.control import states
from runtime.control.paging import page
from runtime.control.settling import BAD_ZIP, Settling
from runtime.names import LATEST, Reference, Scope, is_version, parse

Parameters = Mapping[str, Any]


class Functions:
    """Everything that changes or shows functions. `on_change(name)` is told when one, or a version, is deleted."""

    def __init__(
        self,
        catalog: Catalog,
        code: CodeStore,
        scope: Scope,
        clock: Clock,
        ids: Ids,
        runtimes: frozenset[str],
        settling: Settling,
        on_change: Callable[[str], None],
    ) -> None:
        self._catalog = catalog
        self._code = code
        self._scope = scope
        self._clock = clock
        self._ids = ids
        self._runtimes = runtimes
        self._settling = settling
        self._on_change = on_change

    # functions --------------------------------------------------------------------------------------------------

    async def create(self, parameters: Parameters) -> dict[str, Any]:
        """The new function, Pending until its code is unpacked."""
        reference = parse(parameters["FunctionName"], self._scope)
        if reference.qualifier is not None:
            raise invalid(f"A new function is named without a qualifier, not {parameters['FunctionName']}")
        name = reference.name
        settings = rules.created(parameters, self._runtimes)
        package = _package(parameters.get("Code", {}))
        digest = await self._keep(package)
        if self._catalog.version(name, LATEST) is not None:
            raise conflict(f"Function already exist: {name}")
        latest = states.creating(self._new(name, settings, digest, len(package)))
        saved = [latest]
        if parameters.get("Publish"):
            saved.append(self._numbered(latest, ""))
        self._catalog.save(*saved)
        if parameters.get("Tags"):
            self._catalog.save_tags(name, parameters["Tags"])
        self._settling.soon(*saved)
        return rules.configuration(saved[-1], self._scope, None)

    def get(self, parameters: Parameters, base_url: str) -> dict[str, Any]:
        """Configuration, a URL the code can be fetched from, and tags."""
        version, qualifier = self._found(parameters)
        location = f"{base_url}/_code/{self._code.package(version.code_sha256).name}"
        tags = dict(self._catalog.tags(version.name))
        return {
            "Configuration": rules.configuration(version, self._scope, qualifier),
            "Code": {"RepositoryType": "S3", "Location": location},
            "Tags": tags or None,
        }

    def get_configuration(self, parameters: Parameters) -> dict[str, Any]:
        """The configuration of the function, a version, or what an alias points at."""
        version, qualifier = self._found(parameters)
        return rules.configuration(version, self._scope, qualifier)

    async def update_code(self, parameters: Parameters) -> dict[str, Any]:
        """The configuration with the new code, update in progress; with DryRun, as it would be, nothing changed."""
        package = _package(parameters)
        self._changeable(parameters)
        digest = await self._keep(package)
        latest = self._changeable(parameters)
        settings = dict(latest.settings)
        if parameters.get("Architectures"):
            settings["Architectures"] = parameters["Architectures"]
        if parameters.get("DryRun"):
            would = replace(latest, settings=settings, code_sha256=digest, code_size=len(package))
            return rules.configuration(would, self._scope, None)
        changed = replace(self._changed(latest, settings), code_sha256=digest, code_size=len(package))
        return self._apply(latest, changed, publish=bool(parameters.get("Publish")))

    def update_configuration(self, parameters: Parameters) -> dict[str, Any]:
        """The changed configuration, update in progress."""
        latest = self._changeable(parameters)
        settings = rules.updated(latest.settings, parameters, self._runtimes)
        return self._apply(latest, self._changed(latest, settings), publish=False)

    def list_(self, parameters: Parameters) -> dict[str, Any]:
        """One page of functions by name; with FunctionVersion=ALL, of all their versions."""
        every = parameters.get("FunctionVersion") == "ALL"
        found = [
            version
            for name in self._catalog.function_names()
            for version in self._catalog.versions(name)
            if every or version.version == LATEST
        ]
        shown, following = page(found, parameters.get("Marker"), parameters.get("MaxItems"))
        listed = [rules.listed(version, self._scope, qualified=every) for version in shown]
        return {"Functions": listed, "NextMarker": following}

    def delete(self, parameters: Parameters) -> dict[str, Any]:
        """Nothing; the function, or the one version named by the qualifier, is gone."""
        reference = parse(parameters["FunctionName"], self._scope, parameters.get("Qualifier"))
        self._latest(reference)
        if reference.qualifier is None:
            self._catalog.delete_function(reference.name)
        else:
            self._delete_version(reference.name, reference.qualifier)
        self._on_change(reference.name)
        return {"StatusCode": None}

    def _delete_version(self, name: str, qualifier: str) -> None:
        if qualifier == LATEST:
            raise invalid("$LATEST version cannot be deleted without deleting the function.")
        if not is_version(qualifier):
            raise invalid(f"A version number is needed to delete one version, not {qualifier}")
        users = [a.name for a in self._catalog.aliases(name) if qualifier == a.version or qualifier in a.weights]
        if users:
            raise conflict(
                f"Version {qualifier} of function {self._scope.arn(name, qualifier)} is referenced by aliases: "
                f"[{', '.join(users)}]"
            )
        if self._catalog.version(name, qualifier) is not None:
            self._catalog.delete_version(name, qualifier)

    # versions ---------------------------------------------------------------------------------------------------

    def publish(self, parameters: Parameters) -> dict[str, Any]:
        """The published version: a new one, or the last one when nothing changed since."""
        reference = parse(parameters["FunctionName"], self._scope)
        latest = self._latest(reference)
        states.check_changeable(latest, self._scope.arn(reference.name))
        states.check_revision(parameters.get("RevisionId"), latest.revision_id)
        expected = parameters.get("CodeSha256")
        if expected is not None and expected != latest.code_sha256:
            raise invalid(
                f"CodeSHA256 ({expected}) is different from current CodeSHA256 in $LATEST ({latest.code_sha256}). "
                "Please try again with the CodeSHA256 in $LATEST."
            )
        version = self._published_already(latest)
        if version is None:
            version = self._numbered(latest, parameters.get("Description", ""))
            self._catalog.save(version)
        return rules.configuration(version, self._scope, version.version)

    def list_versions(self, parameters: Parameters) -> dict[str, Any]:
        """One page of `$LATEST` and the published versions, oldest first."""
        reference = parse(parameters["FunctionName"], self._scope)
        self._latest(reference)
        found = self._catalog.versions(reference.name)
        shown, following = page(found, parameters.get("Marker"), parameters.get("MaxItems"))
        return {
            "Versions": [rules.listed(version, self._scope, qualified=True) for version in shown],
            "NextMarker": following,
        }

    # parts ------------------------------------------------------------------------------------------------------

    async def _keep(self, package: bytes) -> str:
        try:
            return await asyncio.to_thread(self._code.put, package)
        except BadPackage as error:
            text = str(error)
            raise invalid(text if text.startswith("Unzipped size") else BAD_ZIP) from error

    def _new(self, name: str, settings: rules.Settings, digest: str, size: int) -> FunctionVersion:
        return FunctionVersion(
            name=name,
            version=LATEST,
            settings=settings,
            code_sha256=digest,
            code_size=size,
            state=State.ACTIVE,
            last_update=UpdateStatus.SUCCESSFUL,
            revision_id=self._ids.uuid(),
            last_modified=_stamp(self._clock.now()),
        )

    def _numbered(self, latest: FunctionVersion, description: str) -> FunctionVersion:
        """The version that publishing `latest` now makes."""
        settings = {**latest.settings, "Description": description or latest.settings["Description"]}
        return replace(
            latest,
            version=str(self._catalog.next_number(latest.name)),
            settings=settings,
            revision_id=self._ids.uuid(),
            published_digest=rules.digest(latest.settings, latest.code_sha256),
        )

    def _published_already(self, latest: FunctionVersion) -> FunctionVersion | None:
        last = self._catalog.versions(latest.name)[-1]
        same = last.version != LATEST and last.published_digest == rules.digest(latest.settings, latest.code_sha256)
        return last if same else None

    def _changed(self, latest: FunctionVersion, settings: rules.Settings) -> FunctionVersion:
        changed = replace(
            latest, settings=settings, revision_id=self._ids.uuid(), last_modified=_stamp(self._clock.now())
        )
        return states.updating(changed)

    def _apply(self, latest: FunctionVersion, changed: FunctionVersion, *, publish: bool) -> dict[str, Any]:
        """Save the change (and a version of it), put it into effect soon, and show it."""
        self._settling.replaces(latest)
        saved, shown = [changed], changed
        if publish:
            shown = self._published_already(changed) or self._numbered(states.creating(changed), "")
            if shown.state is State.PENDING:
                saved.append(shown)
        self._catalog.save(*saved)
        self._settling.soon(*saved)
        return rules.configuration(shown, self._scope, rules.qualifier_shown(shown))

    def _latest(self, reference: Reference) -> FunctionVersion:
        latest = self._catalog.version(reference.name, LATEST)
        if latest is None:
            raise not_found(self._scope.arn(reference.name))
        return latest

    def _changeable(self, parameters: Parameters) -> FunctionVersion:
        reference = parse(parameters["FunctionName"], self._scope)
        latest = self._latest(reference)
        if reference.qualifier not in {None, LATEST}:
            raise invalid("A published version cannot be changed; name the function without a qualifier")
        states.check_changeable(latest, self._scope.arn(reference.name))
        states.check_revision(parameters.get("RevisionId"), latest.revision_id)
        return latest

    def _found(self, parameters: Parameters) -> tuple[FunctionVersion, str | None]:
        """The version the request names, and the qualifier it used."""
        reference = parse(parameters["FunctionName"], self._scope, parameters.get("Qualifier"))
        wanted = reference.qualifier or LATEST
        alias = self._catalog.alias(reference.name, wanted)
        version = self._catalog.version(reference.name, alias.version if alias is not None else wanted)
        if version is None:
            raise not_found(self._scope.arn(reference.name, reference.qualifier))
        return version, reference.qualifier


def _package(code: Parameters) -> bytes:
    """The zip a request carries.

    Raises:
        ApiError: none, more than one source, or one that is not on this machine.
    """
    given = [name for name in ("ZipFile", "S3Bucket", "S3Key", "ImageUri", "SourceKMSKeyArn") if code.get(name)]
    if given == ["ZipFile"]:
        return bytes(code["ZipFile"])
    if not given:
        raise invalid("Please provide a source for function code.")
    if "ZipFile" in given:
        raise invalid("Please do not provide other FunctionCode parameters when providing a ZipFile.")
    raise ApiError(
        "InvalidParameterValueException", f"Code from {given[0]} is not supported by this local runtime; send ZipFile"
    )


def _stamp(at: datetime) -> str:
    """AWS's LastModified: `2026-11-23T17:45:00.123+0000`."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+0000"
