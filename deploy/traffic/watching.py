"""What a rollout makes of its alarms: note changes, tell whether it may go on, tell when one fires. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from deploy.analysis.verdict import Judgement, Verdict, worst
from deploy.traffic.notes import Note, alarm_evaluated
from deploy.traffic.state import Rollout

# An alarm must be unreadable for this long before it stops a deployment, so that a metrics service that restarts
# does not; meanwhile no further traffic is given.
UNREADABLE_GRACE_S = 15.0


@dataclass(frozen=True, slots=True)
class Look:
    """`fired` is the judgement that must end the deployment; `may_go_on` whether more traffic may be given."""

    state: Rollout
    notes: tuple[Note, ...] = ()
    fired: Judgement | None = None
    may_go_on: bool = False


def look(state: Rollout, judgements: tuple[Judgement, ...] | None, now: datetime) -> Look:
    """What these judgements mean for the rollout; without the ones it needs it may not go on.

    Too little data does not hold a rollout up (Source: INSUFFICIENT_DATA does not stop a CodeDeploy deployment). An
    unreadable alarm does, and ends it after a grace, unless the user asked to ignore that.
    """
    if not state.alarms:
        return Look(state, may_go_on=True)
    if judgements is None:
        return Look(state)
    changed = [item for item in judgements if state.verdicts.get(item.alarm) != item.verdict]
    told = tuple(alarm_evaluated(item) for item in changed)
    state = replace(state, verdicts={**state.verdicts, **{item.alarm: item.verdict for item in changed}})
    judgement = worst(judgements)
    if judgement is not None and judgement.verdict is Verdict.BAD:
        return Look(state, told, fired=judgement)
    if judgement is None or judgement.verdict is not Verdict.ERROR or state.ignore_unreadable_alarms:
        return Look(replace(state, unreadable_since=None), told, may_go_on=True)
    since = state.unreadable_since or now
    state = replace(state, unreadable_since=since)
    over = (now - since).total_seconds() >= UNREADABLE_GRACE_S
    return Look(state, told, fired=judgement if over else None)
