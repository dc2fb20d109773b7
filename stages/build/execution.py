"""One build from its first phase to its last: asks the phase table what comes next, and does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from core.clock import Clock
from core.errors import InvalidInput
from stages.build import artifacts, runtimes
from stages.build.buildspec import ArtifactSpec, Buildspec, PhaseSpec
from stages.build.environment.base import Ended, Environment, EnvironmentFailed
from stages.build.log import BuildLog
from stages.build.phases import COMMAND_PHASES, Context, Phase, PhaseResult, Progress, Status
from stages.build.shell import CommandEnd, Shell

_OK = (Status.SUCCEEDED, Context())


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be built.

    `fetch` brings the build's own copies of its inputs (artifact name → directory in the environment's folder);
    `read` gives the buildspec for the primary one; `overrides` win over the buildspec's variables; `outputs` are the
    output artifacts that must come out; `check_runtimes` says whether `runtime-versions` means this place's programs.
    """

    primary: str
    fetch: Callable[[], Mapping[str, Path]]
    read: Callable[[Path], Buildspec]
    own_variables: Callable[[Mapping[str, Path]], Mapping[str, str]]
    overrides: Mapping[str, str]
    outputs: tuple[str, ...]
    mark: str
    check_runtimes: bool
    should_stop: Callable[[], str]
    deadline: datetime | None
    entered: Callable[[Phase], None]


@dataclass(slots=True)
class BuildResult:
    """What came out. `artifacts` are directories in the environment's folder."""

    progress: Progress
    exported: Mapping[str, str] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)


class Build:
    """Runs once."""

    def __init__(self, job: Job, environment: Environment, log: BuildLog, clock: Clock) -> None:
        self._job = job
        self._environment = environment
        self._log = log
        self._clock = clock
        self._result = BuildResult(Progress())
        self._sources: Mapping[str, Path] = {}
        self._spec = Buildspec(version="0.2", phases={})
        self._shell: Shell | None = None
        self._succeeding = True  # what the shell's CODEBUILD_BUILD_SUCCEEDING says

    def run(self) -> BuildResult:
        """The build's outcome, whatever the user's commands do. The environment is closed afterwards."""
        result = self._result
        try:
            while not result.progress.complete:
                phase = result.progress.phase
                started_at = self._clock.now()
                status, context = self._perform(phase)
                ended = PhaseResult(phase, status, context, started_at, self._clock.now())
                result.progress = result.progress.after(ended, self._phase(phase).on_failure)
                if phase in (Phase.DOWNLOAD_SOURCE, *COMMAND_PHASES, Phase.UPLOAD_ARTIFACTS) or status is not _OK[0]:
                    self._log.complete(phase, status, context)
        finally:
            self._close()
        return result

    def _phase(self, phase: Phase) -> PhaseSpec:
        return self._spec.phases.get(phase, PhaseSpec())

    def _perform(self, phase: Phase) -> tuple[Status, Context]:
        broken_off = self._broken_off() if phase is not Phase.FINALIZING else None
        if broken_off is not None:
            return broken_off
        try:
            if phase in COMMAND_PHASES:
                return self._commands(phase)
            doing = {
                Phase.PROVISIONING: self._environment.prepare,
                Phase.DOWNLOAD_SOURCE: self._download,
                Phase.UPLOAD_ARTIFACTS: self._upload,
                Phase.FINALIZING: self._finalize,
            }.get(phase)
            if doing is not None:
                doing()
        except EnvironmentFailed as error:
            return Status.FAILED, Context(error.code, error.message)
        except InvalidInput as error:
            return Status.FAILED, Context("YAML_FILE_ERROR", str(error))
        except artifacts.ArtifactsMissing as error:
            return Status.FAILED, Context("CLIENT_ERROR", str(error))
        return _OK

    def _broken_off(self) -> tuple[Status, Context] | None:
        reason = self._job.should_stop()
        if reason:
            return Status.STOPPED, Context("STOPPED", reason)
        if self._job.deadline is not None and self._clock.now() >= self._job.deadline:
            return Status.TIMED_OUT, Context("BUILD_TIMED_OUT", "Build has timed out.")
        return None

    def _download(self) -> None:
        self._sources = self._job.fetch()
        self._spec = self._job.read(self._sources[self._job.primary])
        for remark in self._spec.not_applied:
            self._log.say(f"not applied: {remark}")
        self._wanted_artifacts()

    def _wanted_artifacts(self) -> Mapping[str, ArtifactSpec]:
        """Which part of the buildspec makes which output artifact.

        Source: CodePipeline action reference, CodeBuild: one output is `artifacts`, several are `secondary-artifacts`.
        """
        outputs, spec = self._job.outputs, self._spec
        if len(outputs) == 1:
            if spec.artifacts is None:
                raise InvalidInput(f"the buildspec has no 'artifacts' for the output artifact {outputs[0]}")
            return {outputs[0]: spec.artifacts}
        missing = [name for name in outputs if name not in spec.secondary]
        if missing:
            raise InvalidInput(
                f"the buildspec has no 'secondary-artifacts' entry for {', '.join(missing)}",
                hint="with several output artifacts, each needs an entry of its name",
            )
        return {name: spec.secondary[name] for name in outputs}

    def _upload(self) -> None:
        source = self._sources[self._job.primary]
        for name, spec in self._wanted_artifacts().items():
            destination = self._environment.folder / "artifacts" / name
            destination.mkdir(parents=True, exist_ok=True)
            count = artifacts.collect(spec, source, destination, self._environment)
            self._log.say(f"Found {count} file(s) for artifact {name}")
            self._result.artifacts[name] = destination

    def _finalize(self) -> None:
        names = self._spec.exported
        if not names or not self._sources:
            return
        values = self._opened().values(names)
        for name in names:
            if name not in values:
                self._log.say(f"Exported variable {name} is not set")
        self._result.exported = values

    def _commands(self, phase: Phase) -> tuple[Status, Context]:
        spec = self._phase(phase)
        if not spec.commands and not spec.finally_ and not (phase is Phase.INSTALL and self._spec.runtime_versions):
            return _OK
        self._job.entered(phase)
        self._log.entering(phase)
        if phase is Phase.INSTALL:
            problem = self._select_runtimes()
            if problem:
                return Status.FAILED, Context("YAML_FILE_ERROR", problem)
        ended = self._run_list(spec.commands)
        if ended[0] in (Status.SUCCEEDED, Status.FAILED):
            after = self._run_list(spec.finally_, succeeding=ended[0] is Status.SUCCEEDED)
            ended = ended if ended[0] is Status.FAILED and after[0] in (Status.SUCCEEDED, Status.FAILED) else after
        return ended

    def _run_list(self, commands: tuple[str, ...], *, succeeding: bool = True) -> tuple[Status, Context]:
        for command in commands:
            self._tell_succeeding(succeeding and self._result.progress.succeeding)
            self._log.running(command)
            # Source: buildspec 0.1 runs every command in a shell of its own.
            end = self._opened().run(f"(\n{command}\n)" if self._spec.version == "0.1" else command)
            if not end.succeeded:
                return self._command_failed(command, end)
        return _OK

    def _command_failed(self, command: str, end: CommandEnd) -> tuple[Status, Context]:
        said = f"Error while executing command: {command.rstrip()}. Reason: "
        if end.ended is not None:
            return _broken_off_by(end.ended, said)
        self._log.command_failed(command, end.exit_status)
        return Status.FAILED, Context("COMMAND_EXECUTION_ERROR", f"{said}exit status {end.exit_status}")

    def _tell_succeeding(self, succeeding: bool) -> None:
        if succeeding != self._succeeding:
            self._succeeding = succeeding
            self._opened().run(f"export CODEBUILD_BUILD_SUCCEEDING={int(succeeding)}")

    def _select_runtimes(self) -> str:
        """Put the wanted runtimes first on the PATH; the sentence about one that is not there, else ""."""
        for runtime, written in self._spec.runtime_versions.items():
            if not self._job.check_runtimes:
                self._log.say(f"not applied: runtime-versions {runtime}: the image decides")
                continue
            version = runtimes.resolved(written, {**self._spec.variables, **self._job.overrides})
            problem = self._select_runtime(runtime, version)
            if problem:
                return problem
        return ""

    def _select_runtime(self, runtime: str, version: str) -> str:
        shell, seen = self._opened(), []
        for candidate in runtimes.candidates(runtime, version):
            printed = shell.output(candidate.asking)
            if runtimes.fits(version, printed):
                self._log.say(f"Selecting '{runtime}' runtime version '{version}': {printed.splitlines()[0]}")
                folder = self._environment.place(self._environment.folder / "runtimes")
                shell.run(runtimes.selecting(runtime, candidate.program, folder))
                return ""
            seen += printed.splitlines()[:1]
        return runtimes.unknown(runtime, version, ", ".join(seen))

    def _opened(self) -> Shell:
        if self._shell is None:
            own = self._job.own_variables(self._sources)
            variables = {**self._environment.variables(), **own, **self._spec.variables, **self._job.overrides}
            self._shell = Shell(
                self._environment,
                program=self._spec.shell,
                variables=variables,
                directory=self._sources[self._job.primary],
                mark=self._job.mark,
                log=self._log.write,
            )
        return self._shell

    def _close(self) -> None:
        try:
            if self._shell is not None:
                self._shell.close()
        finally:
            self._environment.close()


def _broken_off_by(ended: Ended, said: str) -> tuple[Status, Context]:
    """What it means that the shell itself is gone: nothing more can run."""
    match ended.reason:
        case "timed-out":
            return Status.TIMED_OUT, Context("BUILD_TIMED_OUT", "Build has timed out.")
        case "stopped":
            return Status.STOPPED, Context("STOPPED", ended.message)
        case "exited":
            return Status.FAULT, Context("COMMAND_EXECUTION_ERROR", f"{said}the shell was lost ({ended.message})")
