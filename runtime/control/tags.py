"""The operations on tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runtime.api.errors import ApiError, invalid, not_found
from runtime.catalog.documents import EventSourceMapping
from runtime.catalog.store import Catalog
from runtime.names import LATEST, Scope, parse

Parameters = Mapping[str, Any]
_MAX_TAGS = 50


def check_tags(tags: Mapping[str, str]) -> Mapping[str, str]:
    """The same tags.

    Raises:
        ApiError: there are too many, or a key is one of AWS's own.
    """
    if len(tags) > _MAX_TAGS:
        raise invalid(f"The number of tags exceeds the limit of {_MAX_TAGS}.")
    if any(key.lower().startswith("aws:") for key in tags):
        raise invalid("Tag keys that start with aws: are reserved for system use.")
    return tags


class Tags:
    """ListTags, TagResource and UntagResource, for functions and event source mappings."""

    def __init__(self, catalog: Catalog, scope: Scope) -> None:
        self._catalog = catalog
        self._scope = scope

    def list_(self, parameters: Parameters) -> dict[str, Any]:
        """The resource's tags."""
        return {"Tags": dict(self._of(parameters["Resource"]))}

    def add(self, parameters: Parameters) -> dict[str, Any]:
        """Nothing; the tags are added to those there are."""
        arn = parameters["Resource"]
        self._save(arn, check_tags({**self._of(arn), **parameters["Tags"]}))
        return {}

    def remove(self, parameters: Parameters) -> dict[str, Any]:
        """Nothing; the tags with these keys are gone."""
        arn, gone = parameters["Resource"], set(parameters["TagKeys"])
        self._save(arn, {key: value for key, value in self._of(arn).items() if key not in gone})
        return {}

    def _of(self, arn: str) -> Mapping[str, str]:
        mapping = self._mapping(arn)
        return self._catalog.tags(self._function(arn)) if mapping is None else mapping.tags

    def _save(self, arn: str, tags: Mapping[str, str]) -> None:
        mapping = self._mapping(arn)
        if mapping is None:
            self._catalog.save_tags(self._function(arn), tags)
        else:
            self._catalog.put(replace(mapping, tags=tags))

    def _mapping(self, arn: str) -> EventSourceMapping | None:
        """The mapping that the ARN names; None when it does not name one.

        Raises:
            ApiError: it names one that does not exist.
        """
        head, mark, uuid = arn.partition(":event-source-mapping:")
        if not mark:
            return None
        mapping = self._catalog.find(EventSourceMapping, "", uuid)
        if mapping is None or head != f"arn:aws:lambda:{self._scope.region}:{self._scope.account}":
            raise ApiError("ResourceNotFoundException", "The resource you requested does not exist.")
        return mapping

    def _function(self, arn: str) -> str:
        reference = parse(arn, self._scope)
        if self._catalog.version(reference.name, LATEST) is None:
            raise not_found(arn)
        if reference.qualifier is not None:
            raise invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
        return reference.name
