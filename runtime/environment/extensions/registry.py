"""The extensions of one environment between two resets: who there is, and where each stands. Source: reference §2."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from core.errors import IllegalTransition
from runtime.environment.extensions.machine import EXTENSION, Standing, Step

MAX_EXTENSIONS = 10


class EventKind(StrEnum):
    """What an extension can be told about."""

    INVOKE = "INVOKE"
    SHUTDOWN = "SHUTDOWN"


class Refused(Exception):
    """The call is not possible; `error_type` is AWS's."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message


@dataclass(slots=True)
class Extension:
    """One extension; an internal one lives in the runtime's process."""

    name: str
    identifier: str
    internal: bool
    events: tuple[EventKind, ...] = ()
    standing: Standing = Standing.STARTED
    error_type: str = ""

    def move(self, step: Step) -> None:
        """Take `step`.

        Raises:
            Refused: not from where it stands.
        """
        try:
            self.standing = EXTENSION.next(self.standing, step)
        except IllegalTransition as error:
            raise Refused(
                "Extension.InvalidExtensionState",
                f"State transition from {self.standing} failed for extension {self.name}. Error: {error}",
            ) from error


class Extensions:
    """`external` are the file names found in /opt/extensions, in the order they are started."""

    def __init__(self, external: Iterable[str], new_identifier: Callable[[], str]) -> None:
        self._new_identifier = new_identifier
        self._open = True
        self.all: list[Extension] = [Extension(name, new_identifier(), internal=False) for name in external]

    def __bool__(self) -> bool:
        return bool(self.all)

    @property
    def external(self) -> list[Extension]:
        """Those with a process of their own."""
        return [each for each in self.all if not each.internal]

    def named(self, name: str) -> Extension | None:
        """The extension of that name, or None."""
        return next((each for each in self.all if each.name == name), None)

    def identified(self, identifier: str) -> Extension:
        """The extension with that identifier.

        Raises:
            Refused: there is none.
        """
        for each in self.all:
            if each.identifier == identifier and each.standing is not Standing.STARTED:
                return each
        raise Refused("Extension.UnknownExtensionIdentifier", f"Unknown extension {identifier}")

    def register(self, name: str, events: Iterable[str]) -> Extension:
        """The extension, registered: an external one by its file name, any other name as internal.

        Raises:
            Refused: an event there is not, SHUTDOWN for an internal one, registered before, init is over, too many.
        """
        found = self.named(name)
        internal = found is None or found.internal
        kinds = tuple(dict.fromkeys(_kind(event, internal=internal) for event in events))
        if found is None:
            found = self._internal(name)
        elif found.internal:
            raise Refused("Extension.InvalidExtensionState", "Extension with this name already registered")
        found.move(Step.REGISTER)
        found.events = kinds
        return found

    def _internal(self, name: str) -> Extension:
        if not self._open:
            raise Refused("Extension.RegistrationClosed", "Extension registration closed already")
        if len(self.all) >= MAX_EXTENSIONS:
            raise Refused("Extension.TooManyExtensions", f"Extension limit ({MAX_EXTENSIONS}) reached")
        made = Extension(name, self._new_identifier(), internal=True)
        self.all.append(made)
        return made

    def close_registration(self) -> None:
        """The runtime is ready: nobody can register any more."""
        self._open = False

    def are_registered(self) -> bool:
        """Whether every external one has registered, so that the runtime may start."""
        return all(each.standing is not Standing.STARTED for each in self.external)

    def are_ready(self) -> bool:
        """Whether every one waits for its next event."""
        return all(each.standing is Standing.READY for each in self.all)

    def waiting_for(self, kind: EventKind) -> list[Extension]:
        """Those that want `kind` and wait."""
        return [each for each in self.all if kind in each.events and each.standing is Standing.READY]


def _kind(event: str, *, internal: bool) -> EventKind:
    if event == EventKind.SHUTDOWN and internal:
        raise Refused("Extension.InvalidEventType", "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension")
    try:
        return EventKind(event)
    except ValueError:
        raise Refused("Extension.InvalidEventType", f"{event}: ErrorInvalidEventType") from None
