"""One function's properties, checked and typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from core.source import Location
from sam import preference
from sam.globals_ import Properties
from sam.intrinsics import ABSENT, Resolver, text_of
from sam.mistakes import Mistakes
from sam.model import SamFunction

READ = (
    "FunctionName", "Handler", "Runtime", "CodeUri", "Code", "MemorySize", "Timeout", "Environment", "Description",
    "Architectures", "Role", "AutoPublishAlias", "DeploymentPreference", "PackageType",
)  # fmt: skip
# Source: SAM AWS::Serverless::Function
PROPERTIES = (
    *READ, "InlineCode", "ImageUri", "ImageConfig", "Policies", "PermissionsBoundary", "RolePath",
    "AssumeRolePolicyDocument", "Events", "Tags", "PropagateTags", "Tracing", "VpcConfig", "KmsKeyArn",
    "SourceKMSKeyArn", "DeadLetterQueue", "Layers", "AutoPublishAliasAllProperties", "AutoPublishCodeSha256",
    "VersionDescription", "VersionDeletionPolicy", "PublishToLatestPublished", "ReservedConcurrentExecutions",
    "ProvisionedConcurrencyConfig", "EventInvokeConfig", "FileSystemConfigs", "CodeSigningConfigArn",
    "EphemeralStorage", "SnapStart", "FunctionUrlConfig", "RuntimeManagementConfig", "LoggingConfig", "RecursiveLoop",
    "TenancyConfig", "CapacityProviderConfig", "DurableConfig", "FunctionScalingConfig",
)  # fmt: skip

# Source: Lambda naming rules, quotas and reserved environment variables
_FUNCTION_NAME = re.compile(r"[a-zA-Z0-9-_]{1,64}")
_ALIAS = re.compile(r"(?!^[0-9]+$)[a-zA-Z0-9-_]{1,128}")
_ROLE = re.compile(r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")
_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
_MEMORY_MB = (128, 10240)
_TIMEOUT_S = (1, 900)
_MOST_ENVIRONMENT_BYTES = 4096
_ARCHITECTURES = ("x86_64", "arm64")
_RESERVED = frozenset((
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR", "AWS_LAMBDA_MAX_CONCURRENCY", "AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN",
))  # fmt: skip


class FunctionReader:
    """Reads one function; mistakes go to `mistakes`."""

    def __init__(self, logical_id: str, properties: Properties, resolver: Resolver, mistakes: Mistakes) -> None:
        self._logical_id = logical_id
        self._properties = properties
        self._resolver = resolver
        self._mistakes = mistakes

    def read(self, location: Location, code_key: str) -> SamFunction | None:
        """The function; None when it has mistakes. `code_key` is the property that holds the code's directory."""
        before = len(self._mistakes)
        self._check_package()
        function = SamFunction(
            logical_id=self._logical_id,
            function_name=self._text("FunctionName", self._logical_id, _FUNCTION_NAME),
            handler=self._text("Handler"),
            runtime=self._text("Runtime"),
            code_uri=self._code(code_key),
            location=location,
            memory_mb=self._number("MemorySize", 128, _MEMORY_MB),
            timeout_s=self._number("Timeout", 3, _TIMEOUT_S),
            environment=self._environment(),
            description=self._text("Description", ""),
            architectures=self._architectures(),
            role=self._text("Role", "", _ROLE),
            auto_publish_alias=self._text("AutoPublishAlias", "", _ALIAS),
            deployment_preference=preference.read(self._properties, self._resolver, self._mistakes),
            unmanaged=tuple(key for key in self._properties.data if key not in READ),
        )
        return function if len(self._mistakes) == before else None

    def _value(self, name: str) -> Any:
        if name not in self._properties.data:
            return ABSENT
        return self._resolver.resolve(self._properties.data[name], self._properties.path(name))

    def _text(self, name: str, default: str | None = None, form: re.Pattern[str] | None = None) -> str:
        before = len(self._mistakes)
        value = self._value(name)
        path = self._properties.path(name)
        if value is ABSENT or value is None:
            if default is None and len(self._mistakes) == before:
                self._mistakes.add(path, f"{name} is missing")
            return default or ""
        if not isinstance(value, str):
            self._mistakes.add(path, f"{name} must be a text, not {value!r}")
            return default or ""
        if form is not None and value != default and not form.fullmatch(value):
            self._mistakes.add(path, f"{value!r} is not possible as {name}")
        return value

    def _number(self, name: str, default: int, allowed: tuple[int, int]) -> int:
        value = self._value(name)
        if value is ABSENT:
            return default
        number = int(value) if isinstance(value, str) and value.isdecimal() else value
        least, most = allowed
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            what = f"{name} must be a whole number from {least} to {most}, not {value!r}"
            self._mistakes.add(self._properties.path(name), what)
            return default
        return number

    def _code(self, key: str) -> str:
        value = self._value(key)
        path = self._properties.path(key)
        if isinstance(value, str) and value and not value.startswith("s3://"):
            return value
        if isinstance(value, str | Mapping):
            what = f"{key} must be a local directory; code in S3 or in the template is not supported by this version"
            self._mistakes.add(path, what, "write the directory, relative to the template")
        elif "InlineCode" not in self._properties.data:
            self._mistakes.add(path, f"{key} is missing", "write the directory, relative to the template")
        return ""

    def _check_package(self) -> None:
        data, path = self._properties.data, self._properties.path
        for key in ("InlineCode", "ImageUri"):
            if key in data:
                what = f"{key} is not supported by this version of Penstock"
                self._mistakes.add_key(path(key), what, "use CodeUri with a directory")
        if data.get("PackageType", "Zip") != "Zip":
            what = "functions from container images are not supported by this version of Penstock"
            self._mistakes.add(path("PackageType"), what, "use PackageType Zip")

    def _environment(self) -> dict[str, str]:
        environment = self._value("Environment")
        path = self._properties.path("Environment")
        if environment is ABSENT:
            return {}
        variables = environment.get("Variables", {}) if isinstance(environment, Mapping) else None
        if not isinstance(variables, Mapping):
            self._mistakes.add(path, "Environment must be {Variables: {name: value}}")
            return {}
        values = {name: self._variable(name, value) for name, value in variables.items()}
        used = sum(len(f"{name}{value}".encode()) for name, value in values.items())
        if used > _MOST_ENVIRONMENT_BYTES:
            self._mistakes.add(path, f"the variables take {used} bytes; Lambda allows {_MOST_ENVIRONMENT_BYTES}")
        return values

    def _variable(self, name: str, value: Any) -> str:
        path = self._properties.path("Environment", "Variables", name)
        if name in _RESERVED:
            self._mistakes.add_key(path, f"{name} is reserved by Lambda", "choose another name")
        elif not _VARIABLE.fullmatch(name):
            self._mistakes.add_key(path, f"{name!r} is no name for a variable", "use letters, digits and underscores")
        if not isinstance(value, str | int | float):
            self._mistakes.add(path, f"the value of {name} must be a text or a number")
            return ""
        return text_of(value)

    def _architectures(self) -> tuple[str, ...]:
        value = self._value("Architectures")
        if value is ABSENT:
            return ("x86_64",)
        if not isinstance(value, list) or len(value) != 1 or value[0] not in _ARCHITECTURES:
            what = f"Architectures must be a list with one of {', '.join(_ARCHITECTURES)}"
            self._mistakes.add(self._properties.path("Architectures"), what)
            return ("x86_64",)
        return (value[0],)
