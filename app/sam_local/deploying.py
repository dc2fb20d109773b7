"""Making a template's functions in the private runtime, and making them anew when their files or settings change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

from app.sam_local import packing
from app.sam_local.debug import Debugging
from app.sam_local.environment import variables
from app.sam_local.lambda_api import LambdaApi, Refused
from app.sam_local.problems import LocalError
from app.sam_local.project import Project
from sam.local.model import Cors, Layer, LocalFunction, Url

_BUCKET = "uploads.penstock.local"  # what a throw-away runtime calls the directory `uploads` of its home
_ROLE = "arn:aws:iam::{account}:role/local-{name}"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a command was told about the functions it runs, beside the template."""

    overrides: Mapping[str, Mapping[str, Any]]
    shell: Mapping[str, str]
    debugging: Debugging | None = None
    warn: Callable[[str], None] = lambda _: None


@dataclass(slots=True)
class Deployer:
    """Functions in the runtime behind `api`, which takes packages out of `uploads`; a layer is published once."""

    api: LambdaApi
    uploads: Path
    surroundings: Surroundings
    _layers: dict[tuple[str, str], str] = field(default_factory=dict)
    _made: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = field(default_factory=dict)
    _urls: dict[str, tuple[Url, str]] = field(default_factory=dict)

    def create(self, project: Project, function: LocalFunction) -> None:
        """Make the function. Raises: LocalError, also for what the runtime refuses."""
        name = function.function_name
        with _told(function):
            settings, code = self._settings(project, function), self._code(project, function)
            self.api.create(name, settings, code)
            self._publish_url(function)
        self._made[name] = (settings, code)

    def replace(self, project: Project, function: LocalFunction) -> bool:
        """Bring an existing function to its present settings and files; whether it changed. Raises: as `create`."""
        name = function.function_name
        with _told(function):
            settings, code = self._settings(project, function), self._code(project, function)
            before = self._made.get(name, ({}, {}))
            if settings != before[0]:
                self.api.update_settings(name, settings)
            if code != before[1]:
                self.api.update_code(name, code)
            self._publish_url(function)
        self._made[name] = (settings, code)
        return (settings, code) != before

    def url_host(self, function: LocalFunction) -> str:
        """The Host by which the runtime knows the function's URL; "" when it has none."""
        return self._urls.get(function.function_name, (None, ""))[1]

    def _publish_url(self, function: LocalFunction) -> None:
        url, known = function.url, self._urls.get(function.function_name)
        if url is not None and (known is None or known[0] != url):
            config = {"InvokeMode": url.invoke_mode, "Cors": _cors(url.cors) if url.cors is not None else {}}
            self._urls[function.function_name] = (url, self.api.publish_url(function.function_name, config))

    def remove(self, function: LocalFunction) -> None:
        """Remove the function. Raises: as `create`."""
        for made in (self._made, self._urls):
            made.pop(function.function_name, None)
        with _told(function):
            self.api.delete(function.function_name)

    def _settings(self, project: Project, function: LocalFunction) -> dict[str, Any]:
        around, account = self.surroundings, project.template.account
        settings: dict[str, Any] = {
            "Role": _ROLE.format(account=account, name=function.logical_id[:50]),
            "Description": function.description,
            "MemorySize": function.memory_mb,
            "Timeout": function.timeout_s,
            "EphemeralStorage": {"Size": function.temporary_mb},
            "Architectures": list(function.architectures),
            "Environment": {"Variables": variables(function, around.overrides, around.shell, account)},
        }
        if function.image is not None:
            settings["PackageType"] = "Image"
            if function.image.config:
                settings["ImageConfig"] = dict(function.image.config)
            return settings
        settings |= {"Runtime": function.runtime, "Handler": function.handler}
        layers = [arn for layer in function.layers if (arn := self._layer(project, layer, function))]
        if layers:
            settings["Layers"] = layers
        debugging = self._debugging(function)
        if debugging is not None:
            settings = debugging.settings(settings)
        return settings

    def _debugging(self, function: LocalFunction) -> Debugging | None:
        debugging = self.surroundings.debugging
        if debugging is None or not debugging.is_for(function.logical_id, function.function_name):
            return None
        return debugging

    def _layer(self, project: Project, layer: Layer, function: LocalFunction) -> str:
        if not layer.content_uri:
            what = f"{function.logical_id}: the layer {layer.arn or layer.name} is not on this machine and left out"
            self.surroundings.warn(what)
            return ""
        content = self._upload(_package(project.place(layer.content_uri)))
        known = self._layers.get((layer.name, content["S3Key"]))
        if known is None:
            known = self._layers[(layer.name, content["S3Key"])] = self.api.publish_layer(layer.name, content)
        return known

    def _upload(self, package: bytes) -> dict[str, str]:
        """Where the runtime finds the package; the same for the same bytes."""
        name = f"{hashlib.sha256(package).hexdigest()}.zip"
        self.uploads.mkdir(exist_ok=True, mode=0o700)
        path = self.uploads / name
        if not path.exists():
            path.write_bytes(package)
        return {"S3Bucket": _BUCKET, "S3Key": name}

    def _code(self, project: Project, function: LocalFunction) -> dict[str, str]:
        if function.image is not None:
            if not function.image.uri:
                hint = "build it with `docker build`, and give its name as ImageUri"
                raise LocalError(f"{function.logical_id} has no ImageUri", where=str(function.location), hint=hint)
            return {"ImageUri": function.image.uri}
        if function.inline_code:
            package = packing.inline(function.runtime, function.inline_code)
        elif function.code_uri:
            package = _package(project.place(function.code_uri))
        else:
            hint = "run `sam build`, or write a local directory"
            what = f"the code of {function.logical_id} is not on this machine"
            raise LocalError(what, where=str(function.location), hint=hint)
        debugging = self._debugging(function)
        if debugging is not None:
            package = debugging.package(package, function.handler, function.runtime)
        return self._upload(package)


@contextmanager
def _told(function: LocalFunction) -> Iterator[None]:
    """What the runtime refuses is told with the function's place."""
    try:
        yield
    except Refused as refusal:
        what = f"{function.logical_id} cannot run here"
        raise LocalError(what, where=str(function.location), why=refusal.message) from None
    except (OSError, HTTPException) as problem:
        raise LocalError("the local runtime stopped answering", why=str(problem)) from None


def _package(place: Path) -> bytes:
    """The zip at `place`, or of the directory there."""
    if place.is_file() and place.suffix in (".zip", ".jar"):
        return place.read_bytes()
    return packing.pack(place)


def _cors(cors: Cors) -> dict[str, Any]:
    """As Lambda's API takes it."""
    lists = {
        "AllowOrigins": cors.origins,
        "AllowMethods": cors.methods,
        "AllowHeaders": cors.headers,
        "ExposeHeaders": cors.expose,
    }
    found: dict[str, Any] = {name: list(values) for name, values in lists.items() if values}
    return found | {"AllowCredentials": cors.credentials, "MaxAge": cors.max_age_s or 0}
