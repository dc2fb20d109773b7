"""The operations on functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.clock import Clock
from core.ids import Ids
from runtime.api.errors import conflict, invalid, not_found
from runtime.catalog.code import CodeStore
from runtime.catalog.records import FunctionVersion, LayerUse, State, UpdateStatus
from runtime.catalog.store import Catalog
from runtime.control import settings as rules
from runtime.control import states
from runtime.control.images import Images
from runtime.control.layer_rules import check_size
from runtime.control.layers import Layers
from runtime.control.paging import page
from runtime.control.settling import Settling
from runtime.control.sources import Sources
from runtime.control.stamps import stamp
from runtime.control.tags import check_tags
from runtime.control.versions import Versions
from runtime.names import LATEST, Reference, Scope, parse

Parameters = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Code:
    """What a function is to run: a zip in the code store (`digest` base64), or an image (hexadecimal)."""

    digest: str
    size: int = 0
    unzipped_size: int = 0
    image_uri: str = ""

    def given_to(self, version: FunctionVersion) -> FunctionVersion:
        """`version` with this code."""
        return replace(version, code_sha256=self.digest, code_size=self.size, image_uri=self.image_uri)


class Functions:
    """Everything that changes or shows functions. `on_change(name)` is told when one, or a version, is deleted."""

    def __init__(
        self,
        catalog: Catalog,
        code: CodeStore,
        sources: Sources,
        images: Images,
        layers: Layers,
        versions: Versions,
        scope: Scope,
        clock: Clock,
        ids: Ids,
        runtimes: frozenset[str],
        settling: Settling,
        on_change: Callable[[str], None],
    ) -> None:
        self._catalog = catalog
        self._code = code
        self._sources = sources
        self._images = images
        self._layers = layers
        self._versions = versions
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
        tags = check_tags(parameters.get("Tags", {}))
        layers = self._layers.used(settings.get("Layers", ()), ())
        code = await self._taken(parameters.get("Code", {}), settings)
        _check_fit(code, layers)
        if self._catalog.version(name, LATEST) is not None:
            raise conflict(f"Function already exist: {name}")
        latest = states.creating(self._new(name, settings, code, layers))
        saved = [latest]
        if parameters.get("Publish"):
            saved.append(self._versions.numbered(latest, ""))
        self._catalog.save(*saved)
        if tags:
            self._catalog.save_tags(name, tags)
        self._settling.soon(*saved)
        return rules.configuration(saved[-1], self._scope, None)

    def get(self, parameters: Parameters, base_url: str) -> dict[str, Any]:
        """Configuration, a URL the code can be fetched from, and tags."""
        version, qualifier = self._found(parameters)
        tags = dict(self._catalog.tags(version.name))
        reserved = self._catalog.reserved(version.name)
        return {
            "Configuration": rules.configuration(version, self._scope, qualifier),
            "Code": self._location(version, base_url),
            "Tags": tags or None,
            "Concurrency": None if reserved is None else {"ReservedConcurrentExecutions": reserved},
        }

    def get_configuration(self, parameters: Parameters) -> dict[str, Any]:
        """The configuration of the function, a version, or what an alias points at."""
        version, qualifier = self._found(parameters)
        return rules.configuration(version, self._scope, qualifier)

    async def update_code(self, parameters: Parameters) -> dict[str, Any]:
        """The configuration with the new code, update in progress; with DryRun, as it would be, nothing changed."""
        rules.check_served(parameters)
        latest = self._changeable(parameters)
        code = await self._taken(parameters, latest.settings)
        latest = self._changeable(parameters)
        _check_fit(code, latest.layers)
        settings = dict(latest.settings)
        if parameters.get("Architectures"):
            settings["Architectures"] = parameters["Architectures"]
        if parameters.get("DryRun"):
            return rules.configuration(code.given_to(replace(latest, settings=settings)), self._scope, None)
        changed = code.given_to(self._changed(latest, settings))
        return self._apply(latest, changed, publish=bool(parameters.get("Publish")))

    def update_configuration(self, parameters: Parameters) -> dict[str, Any]:
        """The changed configuration, update in progress."""
        latest = self._changeable(parameters)
        settings = rules.updated(latest.settings, parameters, self._runtimes)
        layers = self._layers.used(settings.get("Layers", ()), latest.layers)
        if layers != latest.layers:
            check_size(self._code.unzipped_size(latest.code_sha256), [layer.unzipped_size for layer in layers])
        changed = replace(self._changed(latest, settings), layers=layers)
        return self._apply(latest, changed, publish=False)

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
            self._versions.delete(reference.name, reference.qualifier)
        self._on_change(reference.name)
        return {"StatusCode": None}

    # parts ------------------------------------------------------------------------------------------------------

    async def _taken(self, given: Parameters, settings: Mapping[str, Any]) -> Code:
        """The code a request names, kept here: a zip, or an image by its digest."""
        if settings["PackageType"] == "Zip":
            package = await self._sources.take(given)
            return Code(package.digest, package.size, package.unzipped_size)
        uri = given.get("ImageUri")
        if not uri or any(given.get(name) for name in ("ZipFile", "S3Bucket", "S3Key")):
            raise invalid("Please provide ImageUri, and nothing else, for functions created with container images.")
        return Code(await self._images.digest(uri), image_uri=uri)

    def _location(self, version: FunctionVersion, base_url: str) -> dict[str, Any]:
        """Where the version's code is: AWS's FunctionCodeLocation."""
        if version.is_image:
            repository = version.image_uri.partition("@")[0]
            head, separator, tail = repository.rpartition(":")
            repository = head if separator and "/" not in tail else repository
            resolved = f"{repository}@sha256:{version.code_sha256}"
            return {"RepositoryType": "ECR", "ImageUri": version.image_uri, "ResolvedImageUri": resolved}
        location = f"{base_url}/_code/{self._code.package(version.code_sha256).name}"
        return {"RepositoryType": "S3", "Location": location}

    def _new(self, name: str, settings: rules.Settings, code: Code, layers: tuple[LayerUse, ...]) -> FunctionVersion:
        return FunctionVersion(
            name=name,
            version=LATEST,
            settings=settings,
            code_sha256=code.digest,
            code_size=code.size,
            image_uri=code.image_uri,
            layers=layers,
            state=State.ACTIVE,
            last_update=UpdateStatus.SUCCESSFUL,
            revision_id=self._ids.uuid(),
            last_modified=stamp(self._clock.now()),
        )

    def _changed(self, latest: FunctionVersion, settings: rules.Settings) -> FunctionVersion:
        changed = replace(
            latest, settings=settings, revision_id=self._ids.uuid(), last_modified=stamp(self._clock.now())
        )
        return states.updating(changed)

    def _apply(self, latest: FunctionVersion, changed: FunctionVersion, *, publish: bool) -> dict[str, Any]:
        """Save the change (and a version of it), put it into effect soon, and show it."""
        self._settling.replaces(latest)
        saved, shown = [changed], changed
        if publish:
            shown = self._versions.published_already(changed) or self._versions.numbered(states.creating(changed), "")
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


def _check_fit(code: Code, layers: Sequence[LayerUse]) -> None:
    if layers:
        check_size(code.unzipped_size, [layer.unzipped_size for layer in layers])
