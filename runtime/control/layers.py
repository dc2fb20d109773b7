"""The operations on layers and their versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.clock import Clock
from core.ids import Ids
from runtime.api.errors import ApiError, invalid
from runtime.catalog.code import CodeStore
from runtime.catalog.documents import LayerPolicy, LayerVersion
from runtime.catalog.records import LayerUse
from runtime.catalog.store import Catalog
from runtime.control import layer_rules, statements
from runtime.control.layer_rules import layer_arn
from runtime.control.paging import page
from runtime.control.sources import Sources
from runtime.control.stamps import stamp
from runtime.control.states import check_revision
from runtime.names import Scope

Parameters = Mapping[str, Any]


class Layers:
    """Layer versions never change; one that was deleted goes on working where it is in use."""

    def __init__(
        self, catalog: Catalog, code: CodeStore, sources: Sources, scope: Scope, clock: Clock, ids: Ids
    ) -> None:
        self._catalog = catalog
        self._code = code
        self._sources = sources
        self._scope = scope
        self._clock = clock
        self._ids = ids

    # versions ---------------------------------------------------------------------------------------------------

    async def publish(self, parameters: Parameters, base_url: str) -> dict[str, Any]:
        """The new version."""
        layer = layer_rules.parse(parameters["LayerName"], self._scope).name
        package = await self._sources.take(parameters["Content"])
        version = LayerVersion(
            layer=layer,
            number=self._catalog.next_layer_number(layer),
            description=parameters.get("Description", ""),
            code_sha256=package.digest,
            code_size=package.size,
            unzipped_size=package.unzipped_size,
            created=stamp(self._clock.now()),
            runtimes=tuple(parameters.get("CompatibleRuntimes", ())),
            architectures=tuple(parameters.get("CompatibleArchitectures", ())),
            license_info=parameters.get("LicenseInfo", ""),
        )
        self._catalog.put(version)
        return self._with_content(version, base_url)

    def get(self, parameters: Parameters, base_url: str) -> dict[str, Any]:
        """One version, and a URL its content can be fetched from."""
        return self._with_content(self._version(parameters), base_url)

    def get_by_arn(self, parameters: Parameters, base_url: str) -> dict[str, Any]:
        """As `get`, by the version's ARN."""
        reference = layer_rules.parse(parameters["Arn"], self._scope)
        if reference.number is None:
            raise invalid(f"Invalid Layer ARN: {parameters['Arn']}")
        return self._with_content(self._found(reference.name, reference.number), base_url)

    def delete(self, parameters: Parameters) -> dict[str, Any]:
        """Nothing; the version is gone, and functions that use it keep it. There may have been none."""
        layer, number = self._named(parameters)
        self._catalog.remove(LayerPolicy, layer, str(number))
        self._catalog.remove(LayerVersion, layer, str(number))
        return {}

    def list_versions(self, parameters: Parameters) -> dict[str, Any]:
        """One page of a layer's versions, the newest first."""
        layer = layer_rules.parse(parameters["LayerName"], self._scope).name
        found = [each for each in self._newest_first(layer) if _wanted(each, parameters)]
        shown, following = page(found, parameters.get("Marker"), parameters.get("MaxItems"))
        return {"LayerVersions": [self._shown(version) for version in shown], "NextMarker": following}

    def list_(self, parameters: Parameters) -> dict[str, Any]:
        """One page of the layers by name, each with its newest version."""
        newest: dict[str, LayerVersion] = {}
        for name in sorted({each.layer for each in self._catalog.all(LayerVersion)}):
            fitting = [each for each in self._newest_first(name) if _wanted(each, parameters)]
            if fitting:
                newest[name] = fitting[0]
        shown, following = page(list(newest.values()), parameters.get("Marker"), parameters.get("MaxItems"))
        listed = [
            {
                "LayerName": version.layer,
                "LayerArn": layer_arn(self._scope, version.layer),
                "LatestMatchingVersion": self._shown(version),
            }
            for version in shown
        ]
        return {"Layers": listed, "NextMarker": following}

    def used(self, arns: Sequence[str], known: Sequence[LayerUse]) -> tuple[LayerUse, ...]:
        """What a function that names these layer versions uses; `known` are those it uses already, deleted or not.

        Raises:
            ApiError: too many, or one that does not exist.
        """
        kept = {use.arn: use for use in known}
        uses = []
        for reference in layer_rules.check_list(arns, self._scope):
            arn = layer_arn(self._scope, reference.name, reference.number)
            if arn not in kept:
                version = self._catalog.find(LayerVersion, reference.name, str(reference.number))
                if version is None:
                    raise invalid(f"Layer version {arn} does not exist.")
                kept[arn] = LayerUse(arn, version.code_sha256, version.code_size, version.unzipped_size)
            uses.append(kept[arn])
        return tuple(uses)

    # permissions ------------------------------------------------------------------------------------------------

    def add_permission(self, parameters: Parameters) -> dict[str, Any]:
        """The statement that was added, as JSON, and the policy's revision."""
        version = self._version(parameters)
        policy = self._catalog.find(LayerPolicy, version.layer, version.key) or LayerPolicy(
            version.layer, version.number, (), ""
        )
        check_revision(parameters.get("RevisionId"), policy.revision_id, "GetLayerVersionPolicy")
        statement = statements.of_layer(parameters, layer_arn(self._scope, version.layer, version.number))
        kept = replace(policy, statements=statements.added(policy.statements, statement), revision_id=self._ids.uuid())
        self._catalog.put(kept)
        return {"Statement": statements.compact(statement), "RevisionId": kept.revision_id}

    def get_policy(self, parameters: Parameters) -> dict[str, Any]:
        """The policy of one version, as JSON, and its revision."""
        policy = self._policy(parameters)
        return {"Policy": statements.document(policy.statements), "RevisionId": policy.revision_id}

    def remove_permission(self, parameters: Parameters) -> dict[str, Any]:
        """Nothing; the statement is gone, and with the last one the policy."""
        policy = self._policy(parameters)
        check_revision(parameters.get("RevisionId"), policy.revision_id, "GetLayerVersionPolicy")
        left = statements.without(policy.statements, parameters["StatementId"])
        if left:
            self._catalog.put(replace(policy, statements=left, revision_id=self._ids.uuid()))
        else:
            self._catalog.remove(LayerPolicy, policy.layer, policy.key)
        return {}

    # parts ------------------------------------------------------------------------------------------------------

    def _newest_first(self, layer: str) -> list[LayerVersion]:
        return sorted(self._catalog.of(LayerVersion, layer), key=lambda each: -each.number)

    def _named(self, parameters: Parameters) -> tuple[str, int]:
        number: int = parameters["VersionNumber"]
        if number < 1:
            raise invalid("Layer Version Cannot be less than 1.")
        return layer_rules.parse(parameters["LayerName"], self._scope).name, number

    def _version(self, parameters: Parameters) -> LayerVersion:
        return self._found(*self._named(parameters))

    def _found(self, layer: str, number: int) -> LayerVersion:
        version = self._catalog.find(LayerVersion, layer, str(number))
        if version is None:
            raise ApiError("ResourceNotFoundException", "The resource you requested does not exist.")
        return version

    def _policy(self, parameters: Parameters) -> LayerPolicy:
        version = self._version(parameters)
        policy = self._catalog.find(LayerPolicy, version.layer, version.key)
        if policy is None:
            raise ApiError("ResourceNotFoundException", "No policy is associated with the given resource.")
        return policy

    def _shown(self, version: LayerVersion) -> dict[str, Any]:
        return {
            "LayerVersionArn": layer_arn(self._scope, version.layer, version.number),
            "Version": version.number,
            "Description": version.description,
            "CreatedDate": version.created,
            "CompatibleRuntimes": list(version.runtimes) or None,
            "CompatibleArchitectures": list(version.architectures) or None,
            "LicenseInfo": version.license_info or None,
        }

    def _with_content(self, version: LayerVersion, base_url: str) -> dict[str, Any]:
        return {
            **self._shown(version),
            "LayerArn": layer_arn(self._scope, version.layer),
            "Content": {
                "Location": f"{base_url}/_code/{self._code.package(version.code_sha256).name}",
                "CodeSha256": version.code_sha256,
                "CodeSize": version.code_size,
            },
        }


def _wanted(version: LayerVersion, parameters: Parameters) -> bool:
    return layer_rules.compatible(version.runtimes, parameters.get("CompatibleRuntime")) and layer_rules.compatible(
        version.architectures, parameters.get("CompatibleArchitecture")
    )
