"""One shell session: commands go in one by one, lines and exit statuses come out, state stays."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stages.build import scripts
from stages.build.environment.base import CHANNEL, Channel, Ended, Environment, Launch

_END_WITHIN_S = 10.0  # asking, TERM, grace and KILL take less


@dataclass(frozen=True, slots=True)
class CommandEnd:
    """How one command ended. `ended` is set when the whole shell is gone for good, with it every later command."""

    exit_status: int | None
    ended: Ended | None = None

    @property
    def succeeded(self) -> bool:
        """Whether its exit status was 0."""
        return self.ended is None and self.exit_status == 0


class Shell:
    """Started by the first command. `mark` is a word that no output holds (it is random).

    `log` gets every line the commands write, from another thread.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        program: str,
        variables: Mapping[str, str],
        directory: Path,
        mark: str,
        log: Callable[[str], None],
    ) -> None:
        self._environment = environment
        self._program = program
        self._variables = variables
        self._directory = directory
        self._mark = mark
        self._log = log
        self._folder = environment.folder / "shell"
        self._own = f". {environment.place(self._folder)}/"
        self._ends: queue.SimpleQueue[CommandEnd] = queue.SimpleQueue()
        self._channel: Channel | None = None
        self._gone: CommandEnd | None = None
        self._blank_lines = 0
        self._count = 0

    def run(self, command: str) -> CommandEnd:
        """Run `command` (may be several lines) and wait for its end.

        Raises:
            EnvironmentFailed: the shell cannot be started.
        """
        if self._gone is not None:
            return self._gone
        self._count += 1
        file = self._write(f"{self._count:04d}.sh", command + "\n")
        if self._channel is None:
            self._channel = self._start()
        self._channel.send(self._environment.place(file))
        end = self._ends.get()
        if not end.succeeded and end.ended is None and self._environment.must_end():
            end = self._end_for_good(end)  # what was ended may have told its own death first
        if end.ended is not None:
            self._gone = end
        return end

    def values(self, names: Iterable[str]) -> dict[str, str]:
        """The values that those of the variables have that are set, exported or not."""
        wanted = {name: self._folder / f"value.{name}" for name in names}
        if not wanted:
            return {}
        reading = (scripts.read_variable(name, self._environment.place(file)) for name, file in wanted.items())
        if self.run("".join(reading)).ended is not None:
            return {}
        there = {name: file for name, file in wanted.items() if file.is_file() and not file.is_symlink()}
        return {name: file.read_text("utf-8", "replace") for name, file in there.items()}

    def output(self, command: str) -> str:
        """What `command`, run quietly in a shell of its own, prints; "" when it fails."""
        file = self._folder / "output"
        end = self.run(f"( {command} ) >'{self._environment.place(file)}' 2>&1")
        return file.read_text("utf-8", "replace") if end.succeeded else ""

    def close(self) -> None:
        """End the shell. Safe to call twice."""
        if self._channel is not None:
            self._channel.close()

    def _end_for_good(self, command: CommandEnd) -> CommandEnd:
        try:
            return self._ends.get(timeout=_END_WITHIN_S)
        except queue.Empty:
            return command

    def _start(self) -> Channel:
        outer = self._write("outer.sh", scripts.OUTER)
        state = self._environment.place(self._folder / "state")
        inner = self._write("inner.sh", scripts.inner(state, self._mark))
        arguments = (CHANNEL, self._program, self._environment.place(inner), self._mark)
        launch = Launch(outer, arguments, self._variables, self._directory, self._on_line, self._on_end)
        return self._environment.start(launch)

    def _write(self, name: str, text: str) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / name
        file.write_text(text, encoding="utf-8")
        return file

    def _on_line(self, line: str) -> None:
        """Marks become ends; one empty line before a mark is ours; the shell's tracing of our own work is left out."""
        if line.startswith(self._mark):
            self._blank_lines = max(0, self._blank_lines - 1)
            self._flush_blank_lines()
            self._ends.put(CommandEnd(int(line.rsplit(" ", 1)[1])))
        elif not line:
            self._blank_lines += 1
        elif not (line.startswith("+") and self._own in line):
            self._flush_blank_lines()
            self._log(line)

    def _flush_blank_lines(self) -> None:
        for _ in range(self._blank_lines):
            self._log("")
        self._blank_lines = 0

    def _on_end(self, ended: Ended) -> None:
        self._ends.put(CommandEnd(ended.exit_code, ended))
