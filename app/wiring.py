"""The composition root: the only place where the parts are made and joined."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from app import announce, local_target
from app.settings import Settings
from core.clock import Clock
from core.errors import InvalidInput, Unavailable
from core.ids import RandomIds
from core.socket_path import short
from deploy.targets import Target, Targets
from pipelines import definition
from pipelines.definition.model import PipelineDefinition
from pipelines.service import Ports, Releases, Service
from stages import registry
from stages.base import Dependencies
from store.artifacts import ArtifactStore
from store.database import Database

RUNTIME_WAIT_S = 20.0
_SECRET_NAMES = ("SECRET", "TOKEN", "PASSWORD", "PASSPHRASE", "PRIVATE_KEY", "API_KEY", "CREDENTIAL")


def database(here: Settings, clock: Clock) -> Database:
    """The store, made when it is not there."""
    here.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Database.open(here.database_url, clock=clock)


def service(here: Settings, store: Database, clock: Clock) -> Service:
    """The service over an open store."""
    ids = RandomIds()

    @cache
    def releases() -> Releases:
        from app.releases import BotoReleases  # boto3 is not needed for anything else here

        return BotoReleases(store, ArtifactStore(here.home / "artifacts"), targets(here, clock, os.environ), clock, ids)

    return Service(
        Ports(
            database=store,
            clock=clock,
            ids=ids,
            log_directory=here.log_directory,
            load=load,
            nudge=partial(nudge, here.run_directory),
            releases=releases,
        )
    )


def dependencies(here: Settings, store: Database, clock: Clock, environ: Mapping[str, str]) -> Dependencies:
    """What providers work with."""
    return Dependencies(
        clock=clock,
        ids=RandomIds(),
        database=store,
        artifacts=ArtifactStore(here.home / "artifacts"),
        targets=targets(here, clock, environ),
        home=here.home,
        base_environment=base_environment(environ),
    )


def load(text: str, file: str) -> PipelineDefinition:
    """The checked pipeline in `text`, with every provider known here."""
    return definition.load(text, file, catalog=registry.action_type, provider_names=registry.names())


def base_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What the user's own processes see of our environment: all but what is ours or Prefect's."""
    ours = ("PENSTOCK_", "PREFECT_")
    return {name: value for name, value in environ.items() if not name.startswith(ours) and name != "PYTHONUNBUFFERED"}


def secrets_of(here: Settings, environ: Mapping[str, str]) -> tuple[str, ...]:
    """What must never be written to a log: the API token and every environment value whose name says it is secret."""
    values = [value for name, value in environ.items() if any(word in name.upper() for word in _SECRET_NAMES)]
    with contextlib.suppress(OSError):
        values.append(here.token_file.read_text("utf-8").strip())
    return tuple(values)


def token(here: Settings) -> str:
    """The API's bearer token, made on first use in a file that only this user reads."""
    try:
        descriptor = os.open(here.token_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        found = here.token_file.read_text("utf-8").strip()
        if found:
            return found
        here.token_file.unlink()
        return token(here)
    made = secrets.token_urlsafe(32)
    with os.fdopen(descriptor, "w") as file:
        file.write(made)
    return made


def nudge(run_directory: Path) -> None:
    """Tell every runner of this home to look now. A runner that misses it looks by itself soon."""
    for path in run_directory.glob("runner-*.sock"):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(b"!", short(path))


def targets(here: Settings, clock: Clock, environ: Mapping[str, str]) -> Targets:
    """The resolver of targets: without endpoint, region and role it is the embedded runtime, else AWS."""

    def resolve(name: str, spec: Mapping[str, Any]) -> Target:
        if not any(spec.get(key) for key in ("endpointUrl", "region", "roleArn")):
            return embedded(name, here, clock)
        region = spec.get("region") or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
        if not region:
            raise InvalidInput(f"target {name!r} has no region", hint=f"write region: eu-west-1 under targets.{name}")
        return Target(name, region, endpoint_url=spec.get("endpointUrl"), role_arn=spec.get("roleArn"))

    return resolve


def embedded(name: str, here: Settings, clock: Clock, wait_s: float = RUNTIME_WAIT_S) -> Target:
    """The embedded runtime; waits for one that is being restarted.

    Raises:
        Unavailable: it did not come.
    """
    for _ in range(max(1, round(wait_s / 0.1))):
        found = announce.read(here.announcement("runtime"))
        if found is not None:
            return Target(name, local_target.REGION, found.url, None, local_target.ACCESS_KEY, local_target.SECRET_KEY)
        clock.sleep(0.1)
    raise Unavailable("the local runtime does not run", hint="start it with `penstock up`")
