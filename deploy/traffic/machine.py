"""The legal moves of a deployment, of its lifecycle, and of each lifecycle event: three tables."""

from __future__ import annotations

from enum import StrEnum

from core.machine import Machine


class Status(StrEnum):
    """Source: CodeDeploy DeploymentStatus (the ones a Lambda deployment can have)."""

    CREATED = "Created"
    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"


class Move(StrEnum):
    """What can happen to a deployment."""

    START = "start"
    SUCCEED = "succeed"
    FAIL = "fail"
    STOP = "stop"


DEPLOYMENT: Machine[Status, Move] = Machine(
    "deployment",
    {
        (Status.CREATED, Move.START): Status.IN_PROGRESS,
        (Status.CREATED, Move.FAIL): Status.FAILED,
        (Status.CREATED, Move.STOP): Status.STOPPED,
        (Status.IN_PROGRESS, Move.SUCCEED): Status.SUCCEEDED,
        (Status.IN_PROGRESS, Move.FAIL): Status.FAILED,
        (Status.IN_PROGRESS, Move.STOP): Status.STOPPED,
    },
)


class Lifecycle(StrEnum):
    """The lifecycle events of a deployment, in their fixed order. Source: CodeDeploy AppSpec hooks for Lambda."""

    START = "Start"
    BEFORE = "BeforeAllowTraffic"
    ALLOW = "AllowTraffic"
    AFTER = "AfterAllowTraffic"
    END = "End"


class Advance(StrEnum):
    """The only thing that can happen to the lifecycle."""

    NEXT = "next"


LIFECYCLE: Machine[Lifecycle, Advance] = Machine(
    "lifecycle",
    {
        (Lifecycle.START, Advance.NEXT): Lifecycle.BEFORE,
        (Lifecycle.BEFORE, Advance.NEXT): Lifecycle.ALLOW,
        (Lifecycle.ALLOW, Advance.NEXT): Lifecycle.AFTER,
        (Lifecycle.AFTER, Advance.NEXT): Lifecycle.END,
    },
)
