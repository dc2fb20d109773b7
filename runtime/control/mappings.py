"""The operations on event source mappings. Pollers follow the catalog, and bring each mapping to its next state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from core.clock import Clock
from core.ids import Ids
from runtime.api.errors import ApiError, conflict, invalid, not_found
from runtime.catalog.documents import EventSourceMapping
from runtime.catalog.store import Catalog
from runtime.control import mapping_rules as rules
from runtime.control.event_sources import EventSources
from runtime.control.lookup import existing
from runtime.control.paging import page
from runtime.control.tags import check_tags
from runtime.names import LATEST, Reference, Scope, parse
from runtime.pollers.filters import filters
from runtime.pollers.patterns import BadPattern

Parameters = Mapping[str, Any]
_PAGE = 100
_MAX_FILTERS, _MAX_PATTERN = 10, 4096


class Mappings:
    """CreateEventSourceMapping, Get, Update, Delete and List; all but reading answer before they are in effect."""

    def __init__(self, catalog: Catalog, sources: EventSources, scope: Scope, clock: Clock, ids: Ids) -> None:
        self._catalog = catalog
        self._sources = sources
        self._scope = scope
        self._clock = clock
        self._ids = ids

    async def create(self, parameters: Parameters) -> dict[str, Any]:
        """The new mapping, Creating."""
        source = rules.source(parameters)
        settings = rules.created(parameters, source)
        _check_filters(settings)
        reference = existing(self._catalog, self._scope, parameters)
        await self._sources.check(source, self._timeout_s(reference))
        self._check_new(source, reference)
        mapping = EventSourceMapping(
            uuid=self._ids.uuid(),
            function=reference.name,
            qualifier=reference.qualifier or "",
            source=source.arn,
            settings=_kept(settings),
            enabled=parameters.get("Enabled", True),
            state="Creating",
            last_modified=self._clock.now().timestamp(),
            last_processing_result="" if source.kind == "sqs" else "No records processed",
            tags=check_tags(parameters.get("Tags", {})),
        )
        self._catalog.put(mapping)
        return self._shown(mapping)

    def get(self, parameters: Parameters) -> dict[str, Any]:
        """The mapping."""
        return self._shown(self._found(parameters))

    async def update(self, parameters: Parameters) -> dict[str, Any]:
        """The mapping, Updating, Enabling or Disabling."""
        mapping = self._found(parameters)
        rules.check_not_in_use(mapping, "update")
        source = rules.source({"EventSourceArn": mapping.source})
        settings = rules.updated(_restored(mapping.settings), parameters, source)
        _check_filters(settings)
        reference = Reference(mapping.function, mapping.qualifier or None)
        if parameters.get("FunctionName"):
            reference = existing(self._catalog, self._scope, parameters)
            await self._sources.check(source, self._timeout_s(reference))
        mapping = self._found(parameters)
        rules.check_not_in_use(mapping, "update")
        enabled = parameters.get("Enabled", mapping.enabled)
        changed = replace(
            rules.changing(mapping, _kept(settings), enabled=enabled),
            function=reference.name,
            qualifier=reference.qualifier or "",
            last_modified=self._clock.now().timestamp(),
        )
        self._catalog.put(changed)
        return self._shown(changed)

    def delete(self, parameters: Parameters) -> dict[str, Any]:
        """The mapping, Deleting: it is gone when its poller has ended."""
        mapping = self._found(parameters)
        rules.check_not_in_use(mapping, "delete")
        leaving = replace(mapping, state="Deleting", last_modified=self._clock.now().timestamp())
        shown = self._shown(leaving)
        self._catalog.put(leaving)
        return shown

    def list_(self, parameters: Parameters) -> dict[str, Any]:
        """One page of mappings, of one function or one source when that is named."""
        name, arn = parameters.get("FunctionName"), parameters.get("EventSourceArn")
        wanted = parse(name, self._scope) if name else None
        found = [
            mapping
            for mapping in self._catalog.mappings()
            if (arn is None or mapping.source == arn)
            and (wanted is None or (mapping.function, mapping.qualifier) == (wanted.name, wanted.qualifier or ""))
        ]
        shown, following = page(found, parameters.get("Marker"), parameters.get("MaxItems"), _PAGE)
        return {"EventSourceMappings": [self._shown(mapping) for mapping in shown], "NextMarker": following}

    # parts ------------------------------------------------------------------------------------------------------

    def _timeout_s(self, reference: Reference) -> int:
        """The longest that what the mapping invokes may run."""
        alias = self._catalog.alias(reference.name, reference.qualifier or "")
        number = alias.version if alias is not None else reference.qualifier or LATEST
        version = self._catalog.version(reference.name, number)
        if version is None:
            raise not_found(self._scope.arn(reference.name, reference.qualifier))
        timeout_s: int = version.settings["Timeout"]
        return timeout_s

    def _check_new(self, source: rules.Source, reference: Reference) -> None:
        for mapping in self._catalog.mappings():
            same = (mapping.function, mapping.qualifier) == (reference.name, reference.qualifier or "")
            if same and mapping.source == source.arn:
                kind = "SQS arn" if source.kind == "sqs" else "event source arn"
                raise conflict(
                    f'An event source mapping with {kind} (" {source.arn} ") and function (" {reference.name} ") '
                    f"already exists. Please update or delete the existing mapping with UUID {mapping.uuid}"
                )

    def _found(self, parameters: Parameters) -> EventSourceMapping:
        mapping = self._catalog.find(EventSourceMapping, "", parameters["UUID"])
        if mapping is None:
            raise ApiError("ResourceNotFoundException", "The resource you requested does not exist.")
        return mapping

    def _shown(self, mapping: EventSourceMapping) -> dict[str, Any]:
        return {
            **_restored(mapping.settings),
            "UUID": mapping.uuid,
            "EventSourceArn": mapping.source,
            "EventSourceMappingArn": mapping_arn(self._scope, mapping.uuid),
            "FunctionArn": self._scope.arn(mapping.function, mapping.qualifier or None),
            "LastModified": datetime.fromtimestamp(mapping.last_modified, UTC),
            "LastProcessingResult": mapping.last_processing_result or None,
            "State": mapping.state,
            "StateTransitionReason": mapping.transition_reason,
        }


def mapping_arn(scope: Scope, uuid: str) -> str:
    """`arn:aws:lambda:<region>:<account>:event-source-mapping:<uuid>`."""
    return f"arn:aws:lambda:{scope.region}:{scope.account}:event-source-mapping:{uuid}"


def _check_filters(settings: Mapping[str, Any]) -> None:
    criteria = settings.get("FilterCriteria", {})
    listed = criteria.get("Filters", [])
    if len(listed) > _MAX_FILTERS:
        raise invalid(f"Filter count exceeds the limit of {_MAX_FILTERS}.")
    if any(len(each.get("Pattern", "")) > _MAX_PATTERN for each in listed):
        raise invalid(f"Filter pattern exceeds the limit of {_MAX_PATTERN} characters.")
    try:
        filters(criteria)
    except BadPattern as error:
        raise invalid(f"Invalid filter pattern definition. ({error})") from None


def _kept(settings: Mapping[str, Any]) -> dict[str, Any]:
    """`settings` as they are written down: moments as epoch seconds."""
    return {name: value.timestamp() if isinstance(value, datetime) else value for name, value in settings.items()}


def _restored(settings: Mapping[str, Any]) -> dict[str, Any]:
    """`_kept` turned round."""
    at = settings.get("StartingPositionTimestamp")
    moment = {} if at is None else {"StartingPositionTimestamp": datetime.fromtimestamp(at, UTC)}
    return {**settings, **moment}
