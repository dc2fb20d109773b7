"""Carrying out a plan up to a published version. Every effect may be done twice; none of them touches traffic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import assert_never

from core.clock import Clock
from core.errors import Interrupted, PenstockError
from deploy.plan import CreateFunction, Preparation, PublishVersion, UpdateCode, UpdateConfiguration
from deploy.ports import FunctionState, LambdaApi
from deploy.traffic.notes import Note

READY_WITHIN_S = 300.0
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0


class NotReady(PenstockError):
    """The service says that a function cannot be what it was asked to be."""


class Executor:
    """Carries out preparations on one target. `tell` writes down what was done, `stop_requested` may end the waits."""

    def __init__(
        self, service: LambdaApi, clock: Clock, tell: Callable[[Note], None], stop_requested: Callable[[], str]
    ) -> None:
        self._service = service
        self._clock = clock
        self._tell = tell
        self._stop_requested = stop_requested

    def prepare(self, preparations: Sequence[Preparation], code: Callable[[], bytes]) -> str | None:
        """The version that was published; None when there was nothing to publish. `code()` is the zip file.

        Raises:
            AlreadyExists: somebody else created the function meanwhile; plan again.
            Unavailable: the target does not answer.
            Interrupted: a stop was asked for meanwhile.
            NotReady: the service says that the change failed, or the function was not ready within five minutes.
        """
        version = None
        for item in preparations:
            match item:
                case CreateFunction(function, settings, code_sha256):
                    self._service.create_function(function, settings, code())
                    self._tell(_code_updated(function, code_sha256, f"function {function} was created"))
                    self.wait_until_ready(function)
                case UpdateConfiguration(function, settings, changes):
                    self.wait_until_ready(function)
                    self._service.update_configuration(function, settings)
                    names = ", ".join(change.name for change in changes)
                    self._tell(Note("ConfigurationUpdated", f"{function} has other settings: {names}"))
                    self.wait_until_ready(function)
                case UpdateCode(function, code_sha256, architectures):
                    self.wait_until_ready(function)
                    self._service.update_code(function, code(), architectures)
                    self._tell(_code_updated(function, code_sha256, f"{function} has other code"))
                    self.wait_until_ready(function)
                case PublishVersion(function, code_sha256):
                    version = self._service.publish_version(function, code_sha256)
                    why = f"{function} version {version} was published"
                    self._tell(Note("VersionPublished", why, {"version": version, "code_sha256": code_sha256}))
                    self.wait_until_ready(function, version)
                case _:
                    assert_never(item)
        return version

    def wait_until_ready(self, function: str, version: str | None = None) -> None:
        """Return when it is Active and its last update was Successful.

        Source: Lambda function states; a published version may be Pending, too.
        """
        deadline = self._clock.now().timestamp() + READY_WITHIN_S
        pause_s = _FIRST_PAUSE_S
        while True:
            found = self._service.function(function, version)
            if found is not None and _ready(found):
                return
            if self._clock.now().timestamp() >= deadline:
                state = "is not there" if found is None else f"is {found.state}, {found.last_update_status}"
                raise NotReady(f"{function} {version or ''} was not ready after {READY_WITHIN_S:g} s", why=state)
            reason = self._stop_requested()
            if reason:
                raise Interrupted(f"stopped while {function} was being prepared", why=reason)
            self._clock.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def _ready(found: FunctionState) -> bool:
    """Raises: NotReady when it will never be."""
    if found.state == "Failed":
        raise NotReady(f"{found.name} could not be activated", why=found.state_reason)
    if found.last_update_status == "Failed":
        raise NotReady(f"the update of {found.name} failed", why=found.last_update_reason)
    return found.state in ("Active", "Inactive") and found.last_update_status == "Successful"


def _code_updated(function: str, code_sha256: str, why: str) -> Note:
    return Note("CodeUpdated", f"{why} (code {code_sha256[:12]})", {"function": function, "code_sha256": code_sha256})
