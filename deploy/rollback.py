"""Undoing a deployment: the rollout that does it, and what is told when it is done. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.units import duration
from deploy.traffic.notes import Note
from deploy.traffic.state import Harm, Rollout
from deploy.traffic.strategy import ALL_AT_ONCE


def undoing(undone: Rollout, deployment_id: str, why: str) -> Rollout:
    """The deployment that puts the alias back to where it was before `undone`, in one write, without hooks or alarms.

    Source: CodeDeploy rolls back by a new deployment of the earlier revision, at once and not gradually.
    """
    return Rollout(
        deployment_id=deployment_id,
        function=undone.function,
        alias=undone.alias,
        base=undone.routing,
        routing=undone.routing,
        new_version=undone.old_version,
        revision_id=undone.revision_id,
        given_up=undone.given_up,
        steps=ALL_AT_ONCE,
        why=why,
        rollback_of=undone.deployment_id,
    )


def begun(rollback: Rollout) -> Note:
    """The rollback is on record."""
    why = f"{rollback.function}:{rollback.alias} goes back to version {rollback.new_version}: {rollback.why}"
    return Note("RollbackStarted", why, {"rolled_back": rollback.rollback_of, "version": rollback.new_version})


def completed(undone: Rollout | None, rollback: Rollout, harm: Harm | None, now: datetime) -> Note:
    """The alias is back. Tells what the new version did, how long it took to notice and how long to go back.

    `harm` is counted until now, so it holds the requests that came in between; AWS counts about a minute late.
    """
    why = f"{rollback.function}:{rollback.alias} is back on version {rollback.new_version}: {rollback.why}"
    facts: dict[str, Any] = {"rolled_back": rollback.rollback_of, "version": rollback.new_version}
    if undone is not None:
        facts["from_version"] = undone.new_version
    if undone is not None and harm is not None:
        facts |= {"harmed_requests": harm.errors, "served_requests": harm.invocations}
        why += f"; version {undone.new_version} served {harm.invocations} requests and harmed {harm.errors} of them"
    if undone is not None and undone.detected_at is not None:
        began = harm.first_error_at if harm and harm.first_error_at else undone.first_shift_at
        rollback_s = (now - undone.detected_at).total_seconds()
        facts["rollback_s"] = round(rollback_s, 3)
        if began is not None:
            detection_s = max(0.0, (undone.detected_at - began).total_seconds())
            facts["detection_s"] = round(detection_s, 3)
            what = "first error" if harm and harm.first_error_at else "first traffic"
            why += f"; noticed {duration(detection_s)} after its {what}, back after another {duration(rollback_s)}"
    return Note("RolledBack", why, facts)
