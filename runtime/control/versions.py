"""The operations on published versions, and how a version is made of `$LATEST`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.ids import Ids
from runtime.api.errors import conflict, invalid, not_found
from runtime.catalog.records import FunctionVersion
from runtime.catalog.store import Catalog
from runtime.control import settings as rules
from runtime.control import states
from runtime.control.lookup import existing_function
from runtime.control.paging import page
from runtime.names import LATEST, Scope, is_version

Parameters = Mapping[str, Any]


class Versions:
    """PublishVersion, ListVersionsByFunction, and the deletion of one version."""

    def __init__(self, catalog: Catalog, scope: Scope, ids: Ids) -> None:
        self._catalog = catalog
        self._scope = scope
        self._ids = ids

    def publish(self, parameters: Parameters) -> dict[str, Any]:
        """The published version: a new one, or the last one when nothing changed since."""
        rules.check_unnamed(parameters, "PublishTo")
        name = existing_function(self._catalog, self._scope, parameters)
        latest = self._catalog.version(name, LATEST)
        if latest is None:
            raise not_found(self._scope.arn(name))
        states.check_changeable(latest, self._scope.arn(name))
        states.check_revision(parameters.get("RevisionId"), latest.revision_id)
        expected = parameters.get("CodeSha256")
        if expected is not None and expected != latest.code_sha256:
            raise invalid(
                f"CodeSHA256 ({expected}) is different from current CodeSHA256 in $LATEST ({latest.code_sha256}). "
                "Please try again with the CodeSHA256 in $LATEST."
            )
        version = self.published_already(latest)
        if version is None:
            version = self.numbered(latest, parameters.get("Description", ""))
            self._catalog.save(version)
        return rules.configuration(version, self._scope, version.version)

    def list_(self, parameters: Parameters) -> dict[str, Any]:
        """One page of `$LATEST` and the published versions, oldest first."""
        found = self._catalog.versions(existing_function(self._catalog, self._scope, parameters))
        shown, following = page(found, parameters.get("Marker"), parameters.get("MaxItems"))
        return {
            "Versions": [rules.listed(version, self._scope, qualified=True) for version in shown],
            "NextMarker": following,
        }

    def delete(self, name: str, qualifier: str) -> None:
        """Forget one version; nothing happens when there is none of that number.

        Raises:
            ApiError: `$LATEST`, an alias's name, or a version that an alias reaches.
        """
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

    def numbered(self, latest: FunctionVersion, description: str) -> FunctionVersion:
        """The version that publishing `latest` now makes; it is not saved."""
        settings = {**latest.settings, "Description": description or latest.settings["Description"]}
        return replace(
            latest,
            version=str(self._catalog.next_number(latest.name)),
            settings=settings,
            revision_id=self._ids.uuid(),
            published_digest=rules.digest(latest.settings, latest.code_sha256),
        )

    def published_already(self, latest: FunctionVersion) -> FunctionVersion | None:
        """The last published version when it is what publishing `latest` would make again."""
        last = self._catalog.versions(latest.name)[-1]
        same = last.version != LATEST and last.published_digest == rules.digest(latest.settings, latest.code_sha256)
        return last if same else None
