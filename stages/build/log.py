"""A build's log in CodeBuild's own words."""

from __future__ import annotations

from collections.abc import Callable

from core.clock import Clock
from stages.build.phases import Context, Phase, Status


class BuildLog:
    """Every line that is ours begins with `[Container] <time>`; lines of commands stay as they are."""

    def __init__(self, write: Callable[[str], None], clock: Clock) -> None:
        self.write = write
        self._clock = clock

    def say(self, text: str) -> None:
        """One remark; of several lines the first is marked."""
        stamp = self._clock.now().strftime("%Y/%m/%d %H:%M:%S.%f")
        for line in f"[Container] {stamp} {text}".splitlines():
            self.write(line)

    def entering(self, phase: Phase) -> None:
        """A phase with commands begins."""
        self.say(f"Entering phase {phase}")

    def running(self, command: str) -> None:
        """A command is about to run."""
        self.say(f"Running command {command.rstrip()}")

    def command_failed(self, command: str, exit_status: int | None) -> None:
        """A command has ended with another exit status than 0."""
        self.say(f"Command did not exit successfully {command.rstrip()} exit status {exit_status}")

    def complete(self, phase: Phase, status: Status, context: Context) -> None:
        """A phase has ended."""
        self.say(f"Phase complete: {phase} State: {status}")
        self.say(f"Phase context status code: {context.code} Message: {context.message}")
