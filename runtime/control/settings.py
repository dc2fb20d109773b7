"""A function's settings: from a request, with AWS's defaults and limits, and back into AWS's answers. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from runtime.api.errors import ApiError, invalid
from runtime.catalog.records import FunctionVersion
from runtime.names import LATEST, Scope

Settings = dict[str, Any]

_FROM_REQUEST = (
    "Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize", "Environment", "VpcConfig", "KMSKeyArn",
    "TracingConfig", "DeadLetterConfig", "Architectures", "EphemeralStorage", "SnapStart", "LoggingConfig", "Layers",
    "ImageConfig",
)  # fmt: skip
_NOT_SETTINGS = frozenset(
    {
        "FunctionName", "Code", "Publish", "PackageType", "Tags", "RevisionId", "ZipFile", "S3Bucket", "S3Key",
        "S3ObjectVersion", "S3ObjectStorageMode", "ImageUri", "DryRun",
    }
)  # fmt: skip
UNDERSTOOD = frozenset(_FROM_REQUEST) | _NOT_SETTINGS
"""What a request about a function may say; anything else is refused by its name."""
RECORDED_ONLY = ("VpcConfig", "KMSKeyArn", "TracingConfig", "SnapStart")
_RUN_HERE = re.compile(r"python3\.\d+|nodejs\d+\.x|provided|provided\.al2|provided\.al2023")
_BLOCKED = re.compile(
    r"nodejs|nodejs4\.3(-edge)?|nodejs6\.10|nodejs8\.10|nodejs1[02]\.x|python2\.7|python3\.6|ruby2\.5|dotnetcore.*"
)
"""Source: reference §17, "Fully blocked"."""
_SNAP_START = re.compile(r"python3\.(1[2-9]|[2-9]\d)|java.*|dotnet([89]|\d\d)")
_ZIP_ONLY = ("Runtime", "Handler", "Layers", "SnapStart")
_MAX_MEMORY_MB, _MAX_TIMEOUT_S, _MAX_ENVIRONMENT_BYTES = 10_240, 900, 4096
_MAX_SNAP_START_STORAGE_MB = 512
_RESERVED = frozenset(
    {
        "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN",
    }
)  # fmt: skip


def created(parameters: Mapping[str, Any], runtimes: frozenset[str]) -> Settings:
    """The settings of a new function; `runtimes` are the identifiers AWS knows.

    Raises:
        ApiError: a value AWS refuses, or a feature this runtime does not have.
    """
    settings: Settings = {
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "TracingConfig": {"Mode": "PassThrough"},
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None"},
        "PackageType": "Zip",
    }
    if parameters.get("PackageType") == "Image":
        settings["PackageType"] = "Image"
        del settings["SnapStart"]
    elif not parameters.get("Runtime") or not parameters.get("Handler"):
        raise invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
    return updated(settings, parameters, runtimes)


def updated(settings: Mapping[str, Any], parameters: Mapping[str, Any], runtimes: frozenset[str]) -> Settings:
    """`settings` with what `parameters` name replaced; the environment is replaced as a whole.

    Raises:
        ApiError: as `created`.
    """
    check_served(parameters)
    changed = {name: parameters[name] for name in _FROM_REQUEST if parameters.get(name) is not None}
    _check_package_type(settings["PackageType"], changed)
    result = {**settings, **changed}
    for empty in ("Layers", "ImageConfig"):
        if not result.get(empty):
            result.pop(empty, None)
    _check_limits(result)
    if result["PackageType"] == "Zip":
        _check_runtime(result["Runtime"], runtimes)
        _check_snap_start(result)
    _check_environment(result.get("Environment", {}).get("Variables", {}))
    return result


def check_served(parameters: Mapping[str, Any]) -> None:
    """Nothing when this runtime has everything that `parameters` name.

    Raises:
        ApiError: InvalidParameterValueException naming what it has not.
    """
    for name, value in parameters.items():
        if value and name not in UNDERSTOOD:
            raise invalid(f"{name} is not supported by this local runtime")


def check_unnamed(parameters: Mapping[str, Any], *names: str) -> None:
    """Nothing when `parameters` name none of these.

    Raises:
        ApiError: InvalidParameterValueException: this runtime does not have it.
    """
    for name in names:
        if parameters.get(name):
            raise invalid(f"{name} is not supported by this local runtime")


def _check_package_type(kind: str, changed: Mapping[str, Any]) -> None:
    excluded = _ZIP_ONLY if kind == "Image" else ("ImageConfig",)
    named = [name for name in excluded if changed.get(name)]
    if named:
        what = "container images" if kind == "Image" else "deployment packages"
        raise invalid(f"{', '.join(named)} cannot be set for functions created with {what}.")


def _check_limits(settings: Mapping[str, Any]) -> None:
    for name, value, high in (
        ("memorySize", settings["MemorySize"], _MAX_MEMORY_MB),
        ("timeout", settings["Timeout"], _MAX_TIMEOUT_S),
    ):
        if value > high:
            raise ApiError(
                "ValidationException",
                f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
                f"Member must have value less than or equal to {high}",
            )


def _check_runtime(runtime: str, known: frozenset[str]) -> None:
    if runtime not in known:
        raise invalid(
            f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
            f"[{', '.join(sorted(known))}] or be a valid ARN"
        )
    if _BLOCKED.fullmatch(runtime) is not None:
        raise invalid(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. "
            "We recommend you use a supported runtime while creating or updating functions."
        )
    if _RUN_HERE.fullmatch(runtime) is None:
        raise invalid(
            f"Runtime {runtime} is not supported by this local runtime; it runs python3.x, nodejs, provided and "
            "container images"
        )


def _check_snap_start(settings: Mapping[str, Any]) -> None:
    if settings["SnapStart"].get("ApplyOn", "None") == "None":
        return
    if _SNAP_START.fullmatch(settings["Runtime"]) is None:
        raise invalid(f"{settings['Runtime']} is not supported for SnapStart enabled functions.")
    if settings["EphemeralStorage"]["Size"] > _MAX_SNAP_START_STORAGE_MB:
        raise invalid(f"SnapStart is not supported with more than {_MAX_SNAP_START_STORAGE_MB} MB of EphemeralStorage.")


def _check_environment(variables: Mapping[str, str]) -> None:
    reserved = sorted(_RESERVED & variables.keys())
    if reserved:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    size = len(json.dumps(dict(variables), separators=(",", ":"), ensure_ascii=False).encode())
    if size > _MAX_ENVIRONMENT_BYTES:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the 4KB limit. String measured: {size} bytes"
        )


def without_effect(settings: Mapping[str, Any]) -> list[str]:
    """The names of settings that are recorded and shown but do nothing here; empty for most functions."""
    idle = {"TracingConfig": {"Mode": "PassThrough"}, "SnapStart": {"ApplyOn": "None"}}
    return [name for name in RECORDED_ONLY if settings.get(name) and settings[name] != idle.get(name)]


def digest(settings: Mapping[str, Any], code_sha256: str) -> str:
    """What two versions have in common when publishing the second would change nothing. Source: reference §10."""
    return hashlib.sha256(json.dumps([settings, code_sha256], sort_keys=True).encode()).hexdigest()


def configuration(version: FunctionVersion, scope: Scope, qualifier: str | None) -> dict[str, Any]:
    """AWS's FunctionConfiguration; `qualifier` is what the ARN ends with (None: unqualified)."""
    settings = dict(version.settings)
    snap_start = {"OptimizationStatus": "Off", **settings.get("SnapStart", {"ApplyOn": "None"})}
    image_config, runtime = settings.pop("ImageConfig", None), settings.get("Runtime")
    logging = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{version.name}"}
    return {
        **settings,
        "SnapStart": snap_start,
        "Layers": [{"Arn": layer.arn, "CodeSize": layer.code_size} for layer in version.layers] or None,
        "ImageConfigResponse": {"ImageConfig": image_config} if image_config else None,
        "FunctionName": version.name,
        "FunctionArn": scope.arn(version.name, qualifier),
        "Version": version.version,
        "CodeSha256": version.code_sha256,
        "CodeSize": version.code_size,
        "LastModified": version.last_modified,
        "RevisionId": version.revision_id,
        "State": version.state.value,
        "StateReason": version.state_reason or None,
        "StateReasonCode": version.state_reason_code or None,
        "LastUpdateStatus": version.last_update.value,
        "LastUpdateStatusReason": version.last_update_reason or None,
        "LastUpdateStatusReasonCode": version.last_update_reason_code or None,
        "LoggingConfig": {**logging, **settings.get("LoggingConfig", {})},
        "RuntimeVersionConfig": {"RuntimeVersionArn": runtime_version_arn(runtime, scope)} if runtime else None,
    }


def listed(version: FunctionVersion, scope: Scope, *, qualified: bool) -> dict[str, Any]:
    """A configuration as lists show it: without states. Source: ListFunctions, "returns a subset of the fields"."""
    shown = configuration(version, scope, version.version if qualified else None)
    return {name: value for name, value in shown.items() if not name.startswith(("State", "LastUpdate", "RuntimeV"))}


def runtime_version_arn(runtime: str, scope: Scope) -> str:
    """The ARN that names what really runs the function: this machine's interpreter, so it ends in a local digest."""
    return f"arn:aws:lambda:{scope.region}::runtime:{hashlib.sha256(f'local {runtime}'.encode()).hexdigest()}"


def qualifier_shown(version: FunctionVersion) -> str | None:
    """What an ARN that names this version ends with; None for `$LATEST`."""
    return None if version.version == LATEST else version.version
