"""The operations on function URLs."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from core.clock import Clock
from core.ids import Ids
from runtime.api.errors import ApiError, conflict, invalid
from runtime.catalog.documents import FunctionUrl
from runtime.catalog.store import Catalog
from runtime.control.lookup import existing, existing_function
from runtime.control.paging import page
from runtime.names import LATEST, Reference, Scope

Parameters = Mapping[str, Any]
Address = Callable[[str], str]
"""A URL's id to the URL itself."""


class Urls:
    """CreateFunctionUrlConfig, Get, Update, Delete and List: one URL for a function, one for each of its aliases."""

    def __init__(self, catalog: Catalog, scope: Scope, clock: Clock, ids: Ids, address: Address) -> None:
        self._catalog = catalog
        self._scope = scope
        self._clock = clock
        self._ids = ids
        self._address = address

    def create(self, parameters: Parameters) -> dict[str, Any]:
        """The new URL."""
        reference = self._suitable(parameters)
        if self._catalog.find(FunctionUrl, reference.name, reference.qualifier or "") is not None:
            arn = self._scope.arn(reference.name, reference.qualifier)
            raise conflict(f"Failed to create function url config for [functionArn = {arn}]. Error message:  "
                           "FunctionUrlConfig exists for this Lambda function")  # fmt: skip
        now = _moment(self._clock.now())
        url = FunctionUrl(
            function=reference.name,
            qualifier=reference.qualifier or "",
            url_id=_url_id(self._ids.uuid()),
            auth_type=parameters["AuthType"],
            created=now,
            last_modified=now,
            invoke_mode=parameters.get("InvokeMode", "BUFFERED"),
            cors=parameters.get("Cors", {}),
        )
        self._catalog.put(url)
        return self._shown(url)

    def get(self, parameters: Parameters) -> dict[str, Any]:
        """The URL of exactly that function or alias."""
        return self._shown(self._found(parameters))

    def update(self, parameters: Parameters) -> dict[str, Any]:
        """The URL after the change; what is not named stays, Cors is replaced as a whole."""
        url = self._found(parameters)
        changed = replace(
            url,
            auth_type=parameters.get("AuthType", url.auth_type),
            invoke_mode=parameters.get("InvokeMode", url.invoke_mode),
            cors=parameters.get("Cors", url.cors),
            last_modified=_moment(self._clock.now()),
        )
        self._catalog.put(changed)
        return self._shown(changed)

    def delete(self, parameters: Parameters) -> dict[str, Any]:
        """Nothing; the URL leads nowhere any more, and is never given again."""
        url = self._found(parameters)
        self._catalog.remove(FunctionUrl, url.function, url.qualifier)
        return {}

    def list_(self, parameters: Parameters) -> dict[str, Any]:
        """One page of the function's URLs."""
        name = existing_function(self._catalog, self._scope, parameters)
        found = self._catalog.of(FunctionUrl, name)
        shown, following = page(found, parameters.get("Marker"), parameters.get("MaxItems"))
        return {"FunctionUrlConfigs": [self._shown(each) for each in shown], "NextMarker": following}

    def _suitable(self, parameters: Parameters) -> Reference:
        reference = existing(self._catalog, self._scope, parameters)
        if reference.qualifier == LATEST or (reference.qualifier or "").isdigit():
            raise invalid("A function URL is for the function itself or for an alias, not for a version.")
        return reference

    def _found(self, parameters: Parameters) -> FunctionUrl:
        reference = existing(self._catalog, self._scope, parameters)
        url = self._catalog.find(FunctionUrl, reference.name, reference.qualifier or "")
        if url is None:
            raise ApiError("ResourceNotFoundException", "The resource you requested does not exist.")
        return url

    def _shown(self, url: FunctionUrl) -> dict[str, Any]:
        return {
            "FunctionUrl": self._address(url.url_id),
            "FunctionArn": self._scope.arn(url.function, url.qualifier or None),
            "AuthType": url.auth_type,
            "Cors": dict(url.cors) or None,
            "CreationTime": url.created,
            "LastModifiedTime": url.last_modified,
            "InvokeMode": url.invoke_mode,
        }


def local_address(region: str, port: int) -> Address:
    """URLs that lead to this machine: names under `localhost` are its own (RFC 6761)."""
    return lambda url_id: f"http://{url_id}.lambda-url.{region}.localhost:{port}/"


def _url_id(uuid: str) -> str:
    """32 letters and digits, as AWS's are, made of a UUID."""
    return base64.b32encode(UUID(uuid).bytes * 2).decode().rstrip("=").lower()[:32]


def _moment(at: datetime) -> str:
    """`2026-11-23T17:45:00.123456Z`."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
