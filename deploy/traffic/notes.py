"""What a rollout tells the ledger: kind, one sentence, facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.analysis.verdict import Judgement
from deploy.traffic.state import Harm, Rollout
from deploy.traffic.strategy import describe


@dataclass(frozen=True, slots=True)
class Note:
    """An event about to be written; the driver adds which deployment and execution it belongs to."""

    kind: str
    why: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def started(state: Rollout) -> Note:
    """The deployment began."""
    how = describe(state.steps)
    return Note("LifecycleEventSucceeded", f"the alias is as planned; traffic will go {how}", {"event": "Start"})


def lifecycle(state: Rollout, what: str, why: str) -> Note:
    """A lifecycle event Started, Succeeded or Failed."""
    return Note(f"LifecycleEvent{what}", why, {"event": state.stage.value})


def traffic_shifted(state: Rollout) -> Note:
    """The alias was seen with the routing that was intended."""
    why = f"{state.function}:{state.alias} now sends {state.routing}"
    facts = {"weight_pct": state.weight_pct, "version": state.new_version, "from_version": state.old_version}
    return Note("TrafficShifted", why, facts)


def alarm_evaluated(judgement: Judgement) -> Note:
    """An alarm's verdict is another one than before."""
    facts = {"alarm": judgement.alarm, "verdict": judgement.verdict.value, **judgement.facts}
    return Note("AlarmEvaluated", f"alarm {judgement.alarm} is {judgement.verdict}: {judgement.why}", facts)


def alarm_fired(state: Rollout, judgement: Judgement, harm: Harm | None) -> Note:
    """An alarm ends the deployment."""
    facts: dict[str, Any] = {"alarm": judgement.alarm, "weight_pct": state.weight_pct, **judgement.facts}
    if harm is not None:
        facts |= {"harmed_requests": harm.errors, "served_requests": harm.invocations}
    return Note("AlarmFired", f"alarm {judgement.alarm} fired: {judgement.why}", facts)
