"""The environment variables of a handler: built from nothing. Pure. Source: reference §4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runtime.catalog.records import FunctionVersion


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


def variables(version: FunctionVersion, place: Place) -> dict[str, str]:
    """The function's own variables over the unreserved defaults, under the reserved ones.

    AWS_ENDPOINT_URL leads the function's own AWS calls to this server, so that none of them leaves the machine.
    """
    own: Mapping[str, str] = version.settings.get("Environment", {}).get("Variables", {})
    return {
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "LD_LIBRARY_PATH": f"{place.task_root}:{place.task_root}/lib:/opt/lib",
        "PYTHONPATH": place.runtime_directory,
        "TZ": ":UTC",
        "TMPDIR": place.temporary,
        "AWS_ENDPOINT_URL": place.endpoint_url,
        **own,
        "_HANDLER": version.settings["Handler"],
        "AWS_REGION": place.region,
        "AWS_DEFAULT_REGION": place.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{version.settings['Runtime']}",
        "AWS_LAMBDA_FUNCTION_NAME": version.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(version.settings["MemorySize"]),
        "AWS_LAMBDA_FUNCTION_VERSION": version.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": place.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": place.log_stream,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": "local",
        "AWS_LAMBDA_RUNTIME_API": place.runtime_api,
        "LAMBDA_TASK_ROOT": place.task_root,
        "LAMBDA_RUNTIME_DIR": place.runtime_directory,
    }


def module_path(own: Mapping[str, str], place: Place) -> list[str]:
    """What comes before the standard library on a handler's sys.path: its code, its own PYTHONPATH, the runtime."""
    extra = [entry for entry in own.get("PYTHONPATH", "").split(":") if entry and entry != place.runtime_directory]
    return [place.task_root, *extra, place.runtime_directory]
