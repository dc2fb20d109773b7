"""CodeBuild: the action type, and what joins an action's context to a build."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.errors import InvalidInput
from core.outcome import Abandoned, Failed, Outcome, Succeeded
from stages.base import ActionContext, ActionType, Dependencies, Provider
from stages.build import buildspec, configuration, variables
from stages.build.configuration import CodeBuildConfiguration
from stages.build.counter import build_number
from stages.build.environment.base import Environment
from stages.build.environment.local import LocalEnvironment
from stages.build.execution import Build, BuildResult, Job
from stages.build.log import BuildLog
from stages.build.phases import Status
from stages.build.workspace import primary_input, private_copies
from stages.wrappers import configuration as read_configuration
from stages.wrappers import mistakes_fail

ACTION_TYPE = ActionType(
    category="Build",
    provider="CodeBuild",
    inputs=(1, 5),
    outputs=(0, 5),
    configuration=CodeBuildConfiguration,
    variables=None,
    check=configuration.check,
)

_DEFAULT_BUILDSPEC = "buildspec.yml"
_CODES = {Status.FAILED: "BuildFailed", Status.TIMED_OUT: "BuildTimedOut", Status.FAULT: "BuildFault"}


def create(dependencies: Dependencies) -> Provider:
    """The provider, ready to build."""
    return CodeBuild(dependencies)


class CodeBuild:
    """Runs one build per start of an action; a start after a crash is the same build, begun again."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies

    def run(self, context: ActionContext) -> Outcome:
        """Succeeded with the artifacts and exported variables, Failed with the phases that failed and why."""
        return mistakes_fail(lambda: self._build(context))

    def _build(self, context: ActionContext) -> Outcome:
        chosen = read_configuration(CodeBuildConfiguration, context)
        folder = context.workspace / "build"
        folder.mkdir(parents=True, exist_ok=True)
        region = variables.region(self._dependencies.base_environment)
        project = variables.project(context.pipeline, context.stage, context.action, region)
        environment = self._environment(context, chosen, folder)
        number = build_number(self._dependencies.home / "builds" / project.name, context.action_execution_id)
        job = self._job(context, chosen, project, number, environment)
        log = BuildLog(context.log, self._dependencies.clock)
        result = Build(job, environment, log, self._dependencies.clock).run()
        return _outcome(result, number, project.build_id(context.action_execution_id))

    def _job(
        self,
        context: ActionContext,
        chosen: CodeBuildConfiguration,
        project: variables.Project,
        number: int,
        environment: Environment,
    ) -> Job:
        primary = primary_input(context, chosen.primary_source)
        about = variables.for_build(
            project,
            uuid=context.action_execution_id,
            number=number,
            pipeline=context.pipeline,
            image=chosen.image or "local",
            started_at=self._dependencies.clock.now(),
            commit=variables.commit_of(primary, context.source_revisions),
        )

        def own_variables(sources: Mapping[str, Path]) -> Mapping[str, str]:
            places = {name: environment.place(directory) for name, directory in sources.items()}
            return about | variables.for_sources(primary, places)

        return Job(
            primary=primary,
            fetch=lambda: private_copies(context, environment.folder),
            read=lambda source: _read_buildspec(chosen.buildspec, source),
            own_variables=own_variables,
            overrides=configuration.variables(chosen.environment_variables),
            outputs=context.output_artifacts,
            mark=f"penstock-{self._dependencies.ids.uuid()}",
            check_runtimes=chosen.image is None,
            should_stop=context.stop_requested,
            deadline=context.deadline,
            entered=lambda phase: context.report(summary=phase.value),
        )

    def _environment(self, context: ActionContext, chosen: CodeBuildConfiguration, folder: Path) -> Environment:
        if chosen.image is None:
            return LocalEnvironment(
                folder,
                base=self._dependencies.base_environment,
                clock=self._dependencies.clock,
                deadline=context.deadline,
                should_stop=context.stop_requested,
                tag=context.tag,
            )
        from stages.build.environment.docker import DockerEnvironment, connect  # the SDK is only loaded when needed

        return DockerEnvironment(
            folder,
            connect=lambda: connect(self._dependencies.base_environment),
            image=chosen.image,
            clock=self._dependencies.clock,
            deadline=context.deadline,
            should_stop=context.stop_requested,
            tag=context.tag,
        )


def _read_buildspec(written: str, source: Path) -> buildspec.Buildspec:
    """The inline buildspec, or the file of that name in the source.

    Raises:
        InvalidInput: there is no such file, or there are mistakes in it.
    """
    if "\n" in written or written.lstrip().startswith(("version:", "{")):
        return buildspec.parse(written, "buildspec")
    name = written or _DEFAULT_BUILDSPEC
    file = source / name
    if not file.resolve().is_relative_to(source.resolve()):
        raise InvalidInput("the buildspec's path leaves the source", where=name)
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        hint = f"add {name} to the source, or set the action's configuration.buildspec"
        raise InvalidInput("there is no such buildspec in the source", where=name, hint=hint) from None
    except UnicodeDecodeError:
        raise InvalidInput("the file is not UTF-8 text", where=name) from None
    return buildspec.parse(text, name)


def _outcome(result: BuildResult, number: int, build_id: str) -> Outcome:
    progress = result.progress
    if progress.status is Status.STOPPED:
        return Abandoned("; ".join(reason.context.message for reason in progress.reasons))
    if progress.status is Status.SUCCEEDED:
        return Succeeded(f"build {number} succeeded", result.exported, result.artifacts, build_id)
    message = "; ".join(
        f"{each.phase}: {each.context.code}: {each.context.message}" if each.context.code else f"{each.phase}"
        for each in progress.reasons
    )
    return Failed(_CODES[progress.status], message, result.exported, result.artifacts, build_id)
