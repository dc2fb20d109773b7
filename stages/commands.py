"""Commands: shell commands one by one in one environment, without a buildspec.

Source: CodePipeline action reference, Commands: single-line commands, output variables read from the shell, files of
the output artifact chosen by patterns. The commands run on this machine, on copies of the input artifacts; the first
input is where they start, the others are at CODEBUILD_SRC_DIR_<artifact>.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field

from core.outcome import Abandoned, Failed, Outcome, Succeeded
from stages.base import ActionContext, ActionType, Configuration, Dependencies, Provider
from stages.build import artifacts, globs, variables
from stages.build.buildspec import ArtifactSpec
from stages.build.environment.base import Ended, Files
from stages.build.environment.local import LocalEnvironment
from stages.build.log import BuildLog
from stages.build.shell import CommandEnd, Shell
from stages.build.workspace import primary_input, private_copies
from stages.wrappers import configuration, mistakes_fail

_EVERYTHING = ("**/*",)


class CommandsConfiguration(Configuration):
    """The commands themselves stand beside the configuration. AWS writes `files` at the output artifact."""

    files: list[str] = Field(
        default_factory=list, max_length=10, description="Globs of the output artifact's files; everything when absent."
    )
    primary_source: str | None = Field(default=None, description="The input the commands start in; else the first.")


def check(configuration: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Patterns that can never match."""
    files = configuration.get("files", [])
    return [
        (f"files[{index}]", f"'{pattern}' leaves the source", "write it relative to the primary input")
        for index, pattern in enumerate(files if isinstance(files, list) else [])
        if isinstance(pattern, str) and globs.leaves(pattern)
    ]


ACTION_TYPE = ActionType(
    category="Compute",
    provider="Commands",
    inputs=(1, 10),
    outputs=(0, 1),
    configuration=CommandsConfiguration,
    variables=None,
    check=check,
)


def create(dependencies: Dependencies) -> Provider:
    """The provider, ready to run commands."""
    return Commands(dependencies)


class Commands:
    """Runs an action's commands until one fails."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies

    def run(self, context: ActionContext) -> Outcome:
        """Succeeded with the output variables and the artifact, Failed with the command that failed."""
        return mistakes_fail(lambda: self._run(context))

    def _run(self, context: ActionContext) -> Outcome:
        chosen = configuration(CommandsConfiguration, context, check)
        primary = primary_input(context, chosen.primary_source or context.input_artifacts[0])
        folder = context.workspace / "commands"
        environment = LocalEnvironment(
            folder,
            base=self._dependencies.base_environment,
            clock=self._dependencies.clock,
            deadline=context.deadline,
            should_stop=context.stop_requested,
            tag=context.tag,
        )
        try:
            environment.prepare()
            sources = private_copies(context, folder)
            shell = self._shell(context, environment, sources, primary)
            try:
                outcome = self._perform(context, shell)
            finally:
                shell.close()
            if isinstance(outcome, Succeeded):
                return _with_artifacts(outcome, context, chosen.files, sources[primary], environment)
            return outcome
        finally:
            environment.close()

    def _perform(self, context: ActionContext, shell: Shell) -> Outcome:
        log = BuildLog(context.log, self._dependencies.clock)
        for command in context.commands:
            log.running(command)
            end = shell.run(command)
            if not end.succeeded:
                return _failed(command, end)
        found = shell.values(context.output_variables)
        missing = [name for name in context.output_variables if name not in found]
        if missing:
            return Failed("OutputVariablesMissing", f"the commands did not set {', '.join(missing)}", found)
        count = len(context.commands)
        return Succeeded(f"{count} command{'s' if count != 1 else ''} succeeded", found)

    def _shell(
        self, context: ActionContext, environment: LocalEnvironment, sources: Mapping[str, Path], primary: str
    ) -> Shell:
        about = variables.for_region(variables.region(self._dependencies.base_environment))
        about |= variables.for_commit(variables.commit_of(primary, context.source_revisions))
        about |= variables.for_sources(primary, {name: str(directory) for name, directory in sources.items()})
        return Shell(
            environment,
            program="/bin/sh",
            variables={**environment.variables(), **about, **context.environment},
            directory=sources[primary],
            mark=f"penstock-{self._dependencies.ids.uuid()}",
            log=context.log,
        )


def _with_artifacts(
    done: Succeeded, context: ActionContext, files: Sequence[str], source: Path, environment: Files
) -> Outcome:
    spec = ArtifactSpec(tuple(files) or _EVERYTHING)
    made = {name: context.workspace / "artifacts" / name for name in context.output_artifacts}
    try:
        for destination in made.values():
            destination.mkdir(parents=True)
            artifacts.collect(spec, source, destination, environment)
    except artifacts.ArtifactsMissing as error:
        return Failed("ArtifactsMissing", str(error), done.variables)
    return replace(done, artifacts=made)


def _failed(command: str, end: CommandEnd) -> Outcome:
    if end.ended is None:
        reason = f"exit status {end.exit_status}"
        return Failed("CommandFailed", f"Error while executing command: {command}. Reason: {reason}")
    return _shell_gone(command, end.ended)


def _shell_gone(command: str, ended: Ended) -> Outcome:
    match ended.reason:
        case "stopped":
            return Abandoned(ended.message)
        case "timed-out":
            return Failed("TimedOut", f"the time was over while this command ran: {command}")
        case "exited":
            return Failed("CommandFailed", f"the shell was lost while this command ran: {command}; {ended.message}")
