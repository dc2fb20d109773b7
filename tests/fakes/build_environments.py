"""A build's environment without a shell: commands are looked up in a table instead of being run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from stages.build.environment.base import Channel, Ended, EnvironmentFailed, Launch


class ScriptedEnvironment:
    """Every command succeeds without output, but for those in `statuses` (exit status) and `says` (lines, `$NAME`).

    A command may also end the whole shell: `ends` maps it to how. `ran` are the commands in order.
    """

    def __init__(
        self,
        folder: Path,
        *,
        statuses: Mapping[str, int] | None = None,
        ends: Mapping[str, Ended] | None = None,
        refuse: EnvironmentFailed | None = None,
    ) -> None:
        self.folder = folder
        self.statuses = dict(statuses or {})
        self.ends = dict(ends or {})
        self.refuse = refuse
        self.ran: list[str] = []
        self.given: Mapping[str, str] = {}
        self.closed = 0

    def prepare(self) -> None:
        if self.refuse is not None:
            raise self.refuse

    def place(self, path: Path) -> str:
        return str(path)

    def host(self, path: str) -> Path | None:
        return Path(path)

    def reaches(self, path: Path) -> bool:
        return True

    def variables(self) -> Mapping[str, str]:
        return {"PATH": "/bin", "HOME": "/home"}

    def start(self, launch: Launch) -> Channel:
        self.given = launch.variables
        return _Scripted(self, launch)

    def must_end(self) -> bool:
        return False

    def close(self) -> None:
        self.closed += 1


class _Scripted:
    def __init__(self, environment: ScriptedEnvironment, launch: Launch) -> None:
        self._environment = environment
        self._launch = launch
        self._mark = launch.arguments[-1]

    def send(self, line: str) -> None:
        command = Path(line).read_text().strip()
        self._environment.ran.append(command)
        end = self._environment.ends.get(command)
        if end is not None:
            self._launch.on_end(end)
            return
        say: Callable[[str], None] = self._launch.on_line
        say("")
        say(f"{self._mark} done {self._environment.statuses.get(command, 0)}")

    def close(self) -> None:
        return
