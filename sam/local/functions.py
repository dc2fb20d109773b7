"""One function as it runs here: any package type, layers, its URL; references that cannot be known are left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.source import Location
from sam.functions import FunctionReader
from sam.globals_ import Properties
from sam.intrinsics import ABSENT, text_of
from sam.local.cors import read_cors
from sam.local.model import Image, Layer, LocalFunction, Url
from sam.local.names import LAYERS
from sam.local.resolver import LocalResolver
from sam.mistakes import Mistakes

_TEMPORARY_MB = (512, 10240)
_NOT_FOR_RUNNING = ("DeploymentPreference", "AutoPublishAlias")


class LocalFunctionReader(FunctionReader):
    """Reads what an execution environment needs; mistakes and warnings go to `mistakes`."""

    def __init__(
        self,
        logical_id: str,
        properties: Properties,
        resolver: LocalResolver,
        mistakes: Mistakes,
        resource: Mapping[str, Any],
        resources: Mapping[str, Any],
    ) -> None:
        data = {name: value for name, value in properties.data.items() if name not in _NOT_FOR_RUNNING}
        self._is_image = data.get("PackageType") == "Image" or _image_uri(data) is not None
        if self._is_image:
            data = {"Handler": "", "Runtime": "", **data}
        shown = Properties(data, properties.own, properties.own_path, properties.global_path)
        super().__init__(logical_id, shown, resolver, mistakes)
        self._metadata = _mapping(resource.get("Metadata"))
        self._resources = resources
        self._local = resolver

    def read_local(self, location: Location, code_key: str) -> LocalFunction | None:
        """The function; None when it has mistakes."""
        before = len(self._mistakes)
        base = self.read(location, code_key)
        image = self._image() if self._is_image else None
        inline, layers, url, temporary_mb = self._inline(), self._layers(), self._url(), self._temporary_mb()
        if base is None or len(self._mistakes) > before:
            return None
        return LocalFunction(
            logical_id=base.logical_id,
            function_name=base.function_name,
            handler=base.handler,
            runtime=base.runtime,
            location=location,
            code_uri="" if image or inline else base.code_uri,
            inline_code=inline,
            image=image,
            memory_mb=base.memory_mb,
            timeout_s=base.timeout_s,
            temporary_mb=temporary_mb,
            environment=base.environment,
            description=base.description,
            architectures=base.architectures,
            layers=tuple(layers),
            url=url,
        )

    def _check_package(self) -> None:
        """Every package type is fine here."""

    def _code(self, key: str) -> str:
        if self._is_image or self._inline():
            return ""
        value = self._value(key)
        if value is ABSENT and key == "CodeUri":
            return "."  # Source: SAM CLI takes the template's directory for a function without CodeUri
        if isinstance(value, str) and value and not value.startswith("s3://"):
            return value
        what = f"{key} is not on this machine, so that the function cannot run here"
        self._mistakes.warn(self._properties.path(key), what, "run `sam build`, or write a local directory")
        return ""

    def _inline(self) -> str:
        value = self._value("InlineCode")
        if value is ABSENT:
            value = _mapping(self._value("Code")).get("ZipFile", "")
        return value if isinstance(value, str) else ""

    def _environment(self) -> dict[str, str]:
        """As declared; what cannot be known here is empty text. Source: SAM CLI."""
        declared = _mapping(_mapping(self._properties.data.get("Environment")).get("Variables"))
        known = super()._environment()
        return {name: known.get(name, "") for name in declared}

    def _temporary_mb(self) -> int:
        size = _mapping(self._value("EphemeralStorage")).get("Size", _TEMPORARY_MB[0])
        number = int(size) if isinstance(size, int | str) and str(size).isdecimal() else 0
        if not _TEMPORARY_MB[0] <= number <= _TEMPORARY_MB[1]:
            path = self._properties.path("EphemeralStorage", "Size")
            self._mistakes.add(path, f"Size must be a whole number from {_TEMPORARY_MB[0]} to {_TEMPORARY_MB[1]}")
        return number

    def _image(self) -> Image:
        metadata, resolve = self._metadata, self._local.resolve
        arguments = _mapping(resolve(metadata.get("DockerBuildArgs", {}), ("Resources", self._logical_id, "Metadata")))
        return Image(
            uri=_text(resolve(_image_uri(self._properties.data) or "", self._properties.path("ImageUri"))),
            context=_text(metadata.get("DockerContext")),
            dockerfile=_text(metadata.get("Dockerfile")),
            tag=_text(metadata.get("DockerTag")),
            build_args={name: text_of(value) for name, value in arguments.items()},
            target=_text(metadata.get("DockerBuildTarget")),
            config=_mapping(self._value("ImageConfig")),
        )

    def _layers(self) -> list[Layer]:
        raw = self._properties.data.get("Layers", [])
        return [self._layer(item, index) for index, item in enumerate(raw)] if isinstance(raw, list) else []

    def _layer(self, item: Any, index: int) -> Layer:
        name = item.get("Ref", "") if isinstance(item, Mapping) and len(item) == 1 else ""
        if self._local.kind(name) in LAYERS:
            resource = _mapping(self._resources[name])
            properties = _mapping(resource.get("Properties"))
            key = "ContentUri" if "ContentUri" in properties else "Content"
            uri = self._local.resolve(properties.get(key, "."), ("Resources", name, "Properties", key))
            if isinstance(uri, str):
                return Layer(name, content_uri=uri)
        return Layer(name, arn=_text(self._local.resolve(item, self._properties.path("Layers", index))))

    def _url(self) -> Url | None:
        value = self._value("FunctionUrlConfig")
        if not isinstance(value, Mapping):
            return None
        cors = read_cors(value.get("Cors"))
        return Url(str(value.get("AuthType", "AWS_IAM")), str(value.get("InvokeMode", "BUFFERED")), cors)


def _image_uri(data: Mapping[str, Any]) -> Any:
    return data.get("ImageUri") or _mapping(data.get("Code")).get("ImageUri")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
