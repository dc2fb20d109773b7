"""What a template says about its functions, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.source import Diagnostic, Location


@dataclass(frozen=True, slots=True)
class DeploymentPreference:
    """How a function wants to be released. `type` is SAM's short name or that of a custom configuration.

    Source: SAM DeploymentPreference.
    """

    type: str
    enabled: bool = True
    alarms: tuple[str, ...] = ()
    pre_traffic_hook: str = ""
    post_traffic_hook: str = ""


@dataclass(frozen=True, slots=True)
class SamFunction:
    """One function of a template, Globals merged and references resolved. `code_uri` is relative to the template.

    `role` is "" when the template gives none. `unmanaged` names the properties that are there but not read here.
    """

    logical_id: str
    function_name: str
    handler: str
    runtime: str
    code_uri: str
    location: Location
    memory_mb: int = 128
    timeout_s: int = 3
    environment: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    architectures: tuple[str, ...] = ("x86_64",)
    role: str = ""
    auto_publish_alias: str = ""
    deployment_preference: DeploymentPreference | None = None
    unmanaged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A template's functions in the order of the file, and what is worth a warning."""

    file: str
    functions: tuple[SamFunction, ...]
    warnings: tuple[Diagnostic, ...] = ()
