"""The environment variables of a function's processes: built from nothing. Pure. Source: reference §4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runtime.catalog.records import FunctionVersion
from runtime.environment.runtimes.plan import Kind, kind_of
from runtime.policy.sessions import Credentials

ON_DEMAND, PROVISIONED = "on-demand", "provisioned-concurrency"
_NOT_FOR_EXTENSIONS = frozenset(
    {
        "AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_XRAY_CONTEXT_MISSING",
        "AWS_XRAY_DAEMON_ADDRESS", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "_HANDLER",
    }
)  # fmt: skip
"""Source: Lambda's guide, "Configuring extensions"."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an environment lives on this machine."""

    region: str
    endpoint_url: str
    runtime_api: str
    """host:port of its own Runtime API."""
    task_root: str
    runtime_directory: str
    temporary: str
    log_group: str
    log_stream: str
    credentials: Credentials
    initialization: str = ON_DEMAND


def variables(version: FunctionVersion, place: Place, search: Mapping[str, str]) -> dict[str, str]:
    """The function's own variables over the unreserved defaults (and `search` paths), under the reserved ones.

    AWS_ENDPOINT_URL leads the function's own AWS calls to this server, so that none of them leaves the machine.
    """
    own: Mapping[str, str] = version.settings.get("Environment", {}).get("Variables", {})
    elsewhere = {"TMPDIR": place.temporary} if place.temporary != "/tmp" else {}  # noqa: S108  (a handler's own /tmp)
    locale = {} if version.is_image else {"LANG": "en_US.UTF-8", "TZ": ":UTC"}
    return {
        **locale,
        **elsewhere,
        **search,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
        "AWS_ENDPOINT_URL": place.endpoint_url,
        **own,
        **_reserved(version, place),
    }


def _reserved(version: FunctionVersion, place: Place) -> dict[str, str]:
    credentials = place.credentials
    reserved = {
        "AWS_REGION": place.region,
        "AWS_DEFAULT_REGION": place.region,
        "AWS_LAMBDA_FUNCTION_NAME": version.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(version.settings["MemorySize"]),
        "AWS_LAMBDA_FUNCTION_VERSION": version.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": place.initialization,
        "AWS_LAMBDA_LOG_GROUP_NAME": place.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": place.log_stream,
        **_logging(version),
        "AWS_ACCESS_KEY": credentials.access_key_id,
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
        "AWS_LAMBDA_RUNTIME_API": place.runtime_api,
        "LAMBDA_TASK_ROOT": place.task_root,
        "LAMBDA_RUNTIME_DIR": place.runtime_directory,
    }
    kind = kind_of(version)
    if kind is not Kind.IMAGE:
        reserved["_HANDLER"] = version.settings["Handler"]
    if kind in {Kind.PYTHON, Kind.NODE}:
        reserved["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{version.settings['Runtime']}"
    return reserved


def _logging(version: FunctionVersion) -> dict[str, str]:
    """How the runtime is told to write: the level only counts for JSON."""
    logging = version.settings.get("LoggingConfig", {})
    if logging.get("LogFormat", "Text") != "JSON":
        return {"AWS_LAMBDA_LOG_FORMAT": "Text"}
    return {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": logging.get("ApplicationLogLevel", "INFO")}


def for_extension(every: Mapping[str, str]) -> dict[str, str]:
    """What an extension sees of a runtime's variables."""
    return {name: value for name, value in every.items() if name not in _NOT_FOR_EXTENSIONS}
