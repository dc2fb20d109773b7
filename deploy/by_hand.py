"""A rollback that a person asks for: any published version, at once, recorded as its own deployment."""

from __future__ import annotations

from dataclasses import replace

from core.clock import Clock
from core.errors import NotAllowed, NotFound, PenstockError
from deploy import rollback
from deploy.journal import CREATOR_ROLLBACK, Journal
from deploy.ports import AliasState, Clients
from deploy.traffic.driver import Driver
from deploy.traffic.ending import MANUAL_STOP
from deploy.traffic.machine import Status
from deploy.traffic.notes import Note
from deploy.traffic.state import Rollout, from_data
from store.records import DeploymentRecord

BY_HAND = "by hand"  # what `rollback_of` says when no deployment on record brought the present version


def roll_back(
    clients: Clients, journal: Journal, clock: Clock, to_version: str | None, by: str, why: str
) -> DeploymentRecord:
    """The finished deployment that put the alias wholly on `to_version`.

    None means the version that the alias had before the deployment that brought the present one; on a split alias,
    the version it is mainly on. Deployments whose driver died are ended first, so that none of them goes on later.

    Raises:
        NotFound, NotAllowed, Unavailable: as for Release.roll_back.
        PenstockError: the target refused the write.
    """
    place = journal.place
    driver = Driver(clients, journal, clock, lambda: "", lambda _: None)
    _end_leftovers(journal)
    alias = clients.functions.alias(place.function, place.alias)
    if alias is None:
        raise NotFound(f"there is no alias {place.function}:{place.alias} on target {place.target}")
    brought = _brought_by(journal, alias)
    version = to_version or _earlier(alias, brought)
    _check(clients, journal, alias, version)
    reason = f"{by} asked for it" + (f": {why}" if why else "")
    undoing = Rollout(
        deployment_id=journal.ids.deployment(),
        function=place.function,
        alias=place.alias,
        base=alias.routing,
        routing=alias.routing,
        new_version=version,
        revision_id=alias.revision_id,
        why=reason,
        rollback_of=brought.deployment_id if brought else BY_HAND,
    )
    record = driver.drive(journal.open(undoing, CREATOR_ROLLBACK, rollback.begun(undoing)))
    if record.status != Status.SUCCEEDED:
        raise PenstockError(f"the rollback of {place.function}:{place.alias} failed", why=from_data(record.state).why)
    return record


def _end_leftovers(journal: Journal) -> None:
    """Mark unfinished deployments as Stopped; the rollback that follows takes over what they did to the alias."""
    for record in journal.unfinished():
        why = "its driver ended before it did, and a rollback by hand takes over"
        state = replace(from_data(record.state), status=Status.STOPPED, intent=None, code=MANUAL_STOP, why=why)
        journal.save(record, state, (Note("DeploymentStopped", why, {"code": MANUAL_STOP}),))


def _brought_by(journal: Journal, alias: AliasState) -> Rollout | None:
    """The newest deployment that was to bring a version that has traffic now."""
    serving = (alias.routing.additional, alias.routing.version)
    for record in journal.history():
        state = from_data(record.state)
        if not state.rollback_of and state.touched and state.new_version in serving:
            return state
    return None


def _earlier(alias: AliasState, brought: Rollout | None) -> str:
    if alias.routing.split:
        return alias.routing.version
    if brought is None or not brought.old_version:
        raise NotAllowed(
            f"no release on record brought {alias.routing} to alias {alias.name}, so where it was before is unknown",
            hint="name the version with --to",
        )
    return brought.old_version


def _check(clients: Clients, journal: Journal, alias: AliasState, version: str) -> None:
    place = journal.place
    if clients.functions.function(place.function, version) is None:
        raise NotFound(f"function {place.function} has no version {version} on target {place.target}")
    if not alias.routing.split and alias.routing.version == version:
        raise NotAllowed(f"{place.function}:{place.alias} is wholly on version {version} already")
