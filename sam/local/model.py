"""What can be run from a template: functions, layers and APIs, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.source import Diagnostic, Location


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer: a directory or zip beside the template, or else an ARN, which this machine cannot fetch."""

    name: str
    content_uri: str = ""
    arn: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """A container image: by its name, or built from `context` (relative to the template) with `dockerfile`."""

    uri: str = ""
    context: str = ""
    dockerfile: str = ""
    tag: str = ""
    build_args: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    config: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cors:
    """What an API answers to browsers of other origins. An empty tuple: not said. `max_age_s` None: not said."""

    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    expose: tuple[str, ...] = ()
    max_age_s: int | None = None
    credentials: bool = False


@dataclass(frozen=True, slots=True)
class Url:
    """A function URL."""

    auth_type: str = "AWS_IAM"
    invoke_mode: str = "BUFFERED"
    cors: Cors | None = None


@dataclass(frozen=True, slots=True)
class LocalFunction:
    """One function. Exactly one of `code_uri` (relative to the template), `inline_code` and `image` is given."""

    logical_id: str
    function_name: str
    handler: str
    runtime: str
    location: Location
    code_uri: str = ""
    inline_code: str = ""
    image: Image | None = None
    memory_mb: int = 128
    timeout_s: int = 3
    temporary_mb: int = 512
    environment: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    architectures: tuple[str, ...] = ("x86_64",)
    layers: tuple[Layer, ...] = ()
    url: Url | None = None


@dataclass(frozen=True, slots=True)
class Authorizer:
    """A Lambda authorizer. `identity` are sources such as `$request.header.Authorization`.

    `kind` is TOKEN or REQUEST; `payload` "1.0" or "2.0" (HTTP APIs); `simple`: {"isAuthorized": …} answers (2.0).
    """

    name: str
    kind: str
    function: str
    identity: tuple[str, ...] = ()
    pattern: str = ""
    payload: str = "1.0"
    simple: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One path (`/orders/{id}`, `/{proxy+}`, `$default`) and method (`ANY`: all) that leads to a function.

    `function` is a logical id. `authorizer` names what protects the route, "" for nothing; when the API's
    `authorizers` have no such name, it is no function (Cognito, JWT, IAM).
    """

    path: str
    method: str
    function: str
    payload: str = "1.0"
    authorizer: str = ""
    timeout_ms: int = 0
    operation: str = ""


@dataclass(frozen=True, slots=True)
class Api:
    """One API. `kind` is `rest` or `http`."""

    logical_id: str
    kind: str
    stage: str
    routes: tuple[Route, ...] = ()
    authorizers: Mapping[str, Authorizer] = field(default_factory=dict)
    default_authorizer: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    binary_types: tuple[str, ...] = ()
    cors: Cors | None = None


@dataclass(frozen=True, slots=True)
class LocalTemplate:
    """Everything in a template that runs here, in the order of the file, and what is worth a warning."""

    file: str
    functions: tuple[LocalFunction, ...]
    apis: tuple[Api, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    region: str = ""
    account: str = ""
