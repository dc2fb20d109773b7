"""The operations on how asynchronous events are handled: retries, age, destinations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from core.clock import Clock
from runtime.api.errors import ApiError, invalid
from runtime.catalog.documents import EventInvokeConfig
from runtime.catalog.store import Catalog
from runtime.control.lookup import existing, existing_function
from runtime.control.paging import page
from runtime.names import LATEST, Reference, Scope, parse

Parameters = Mapping[str, Any]
_DESTINATION = re.compile(r"arn:aws[a-zA-Z-]*:(sqs|sns|lambda|events|s3):.+")


class EventConfigs:
    """PutFunctionEventInvokeConfig replaces, UpdateFunctionEventInvokeConfig merges; get, delete, list."""

    def __init__(self, catalog: Catalog, scope: Scope, clock: Clock) -> None:
        self._catalog = catalog
        self._scope = scope
        self._clock = clock

    def put(self, parameters: Parameters) -> dict[str, Any]:
        """The new configuration; what is not named has AWS's default again."""
        return self._keep(EventInvokeConfig(*self._place(parameters), 0.0), parameters)

    def update(self, parameters: Parameters) -> dict[str, Any]:
        """The configuration with what is named replaced."""
        return self._keep(self._found(parameters), parameters)

    def get(self, parameters: Parameters) -> dict[str, Any]:
        """The configuration of exactly that function, version or alias."""
        return self._shown(self._found(parameters))

    def delete(self, parameters: Parameters) -> dict[str, Any]:
        """Nothing; the defaults hold again."""
        found = self._found(parameters)
        self._catalog.remove(EventInvokeConfig, found.function, found.qualifier)
        return {}

    def list_(self, parameters: Parameters) -> dict[str, Any]:
        """One page of the function's configurations."""
        name = existing_function(self._catalog, self._scope, parameters)
        found = self._catalog.of(EventInvokeConfig, name)
        shown, following = page(found, parameters.get("Marker"), parameters.get("MaxItems"))
        return {"FunctionEventInvokeConfigs": [self._shown(each) for each in shown], "NextMarker": following}

    def _place(self, parameters: Parameters) -> tuple[str, str]:
        reference = existing(self._catalog, self._scope, parameters)
        return reference.name, reference.qualifier or LATEST

    def _found(self, parameters: Parameters) -> EventInvokeConfig:
        name, qualifier = self._place(parameters)
        config = self._catalog.event_invoke_config(name, qualifier)
        if config is None:
            raise ApiError(
                "ResourceNotFoundException",
                f"The function {self._scope.arn(name, qualifier)} doesn't have an EventInvokeConfig",
            )
        return config

    def _keep(self, before: EventInvokeConfig, parameters: Parameters) -> dict[str, Any]:
        named = {"MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig"} & parameters.keys()
        if not named:
            raise invalid("You must specify at least one of error handling or destination setting.")
        destinations = parameters.get("DestinationConfig", {})
        config = replace(
            before,
            last_modified=self._clock.now().timestamp(),
            maximum_retry_attempts=parameters.get("MaximumRetryAttempts", before.maximum_retry_attempts),
            maximum_event_age_s=parameters.get("MaximumEventAgeInSeconds", before.maximum_event_age_s),
            on_success=self._destination(destinations, "OnSuccess", before.on_success, before.function),
            on_failure=self._destination(destinations, "OnFailure", before.on_failure, before.function),
        )
        self._catalog.put(config)
        return self._shown(config)

    def _destination(self, given: Parameters, when: str, before: str, function: str) -> str:
        if when not in given:
            return before
        arn: str = given[when].get("Destination", "")
        if not arn:
            return ""
        match = _DESTINATION.fullmatch(arn)
        service = match[1] if match is not None else ""
        if not service or (service == "s3" and when == "OnSuccess"):
            raise invalid(f"The provided destination config DestinationConfig({when}={arn}) is invalid.")
        if arn.endswith(".fifo"):
            raise invalid(f"The provided destination {arn} is invalid: FIFO queues and topics are not supported.")
        if service == "lambda" and self._own(arn) == Reference(function):
            raise invalid("You can't specify the function as a destination for itself.")
        return arn

    def _own(self, arn: str) -> Reference | None:
        """The function of this account and region that the ARN names, without its qualifier."""
        try:
            return Reference(parse(arn, self._scope).name)
        except ApiError:
            return None

    def _shown(self, config: EventInvokeConfig) -> dict[str, Any]:
        destinations = {"OnSuccess": config.on_success, "OnFailure": config.on_failure}
        return {
            "LastModified": datetime.fromtimestamp(config.last_modified, UTC),
            "FunctionArn": self._scope.arn(config.function, config.qualifier),
            "MaximumRetryAttempts": config.maximum_retry_attempts,
            "MaximumEventAgeInSeconds": config.maximum_event_age_s,
            "DestinationConfig": {when: {"Destination": arn} if arn else {} for when, arn in destinations.items()},
        }
