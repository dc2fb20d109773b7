"""CodeDeploy: the action type, and a thin way to `deploy.release`, which does the releasing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from core.holder import this_process
from core.outcome import Outcome
from deploy.request import check, from_configuration
from stages.base import ActionContext, ActionType, Configuration, Dependencies, Provider
from stages.wrappers import configuration, mistakes_fail, target_of

if TYPE_CHECKING:  # loads boto3
    from deploy.release import Release


class CodeDeployConfiguration(Configuration):
    """What to release, where, how gradually, and what sends it back."""

    target: str = Field(description="Name of one of the pipeline's targets.")
    alias: str = Field(min_length=1, description="The alias whose traffic shifts to the new version.")
    template: str = Field(default="template.yaml", description="SAM template in the input artifact.")
    functions: list[str] | None = Field(default=None, description="Logical ids to release; every function when absent.")
    deployment_config: str | list[str] = Field(
        default="AllAtOnce", description="A CodeDeploy configuration's name, or steps: [10%, wait 5m, 100%]."
    )
    hooks: dict[str, str] = Field(default_factory=dict, description="BeforeAllowTraffic, AfterAllowTraffic: functions.")
    alarms: list[str | dict[str, Any]] = Field(default_factory=list, description="Alarms that end the release.")
    rollback: list[str] | None = Field(default=None, description="On which events the alias goes back.")
    role: str = Field(default="", description="Role ARN of functions that have to be created.")
    ignore_poll_alarm_failure: bool = Field(default=False, description="Go on when alarms cannot be read.")
    bake_seconds: float = Field(default=0, ge=0, description="How long the alarms are watched after the last shift.")


ACTION_TYPE = ActionType(
    category="Deploy",
    provider="CodeDeploy",
    inputs=(1, 1),
    outputs=(0, 0),
    configuration=CodeDeployConfiguration,
    variables=None,
    check=check,
)


def create(dependencies: Dependencies) -> Provider:
    """The provider, ready to release."""
    from deploy.clients import BotoClients  # boto3 is only loaded to release
    from deploy.release import Release

    database, clock, ids = dependencies.database, dependencies.clock, dependencies.ids
    return CodeDeploy(dependencies, Release(BotoClients(), database, clock, ids, this_process()))


class CodeDeploy:
    """Releases the functions of the input artifact."""

    def __init__(self, dependencies: Dependencies, release: Release) -> None:
        self._dependencies = dependencies
        self._release = release

    def run(self, context: ActionContext) -> Outcome:
        """What became of the release; it goes on where it was when the same attempt is started again."""
        return mistakes_fail(lambda: self._run(context))

    def _run(self, context: ActionContext) -> Outcome:
        chosen = configuration(CodeDeployConfiguration, context)
        request = from_configuration(
            chosen.model_dump(by_alias=True, exclude_unset=True),
            directory=context.input(context.input_artifacts[0]),
            target=target_of(self._dependencies, context, chosen.target),
            execution_id=context.execution_id,
            action_execution_id=context.action_execution_id,
        )
        result = self._release.run(
            request,
            log=context.log,
            report=context.report,
            stop_requested=context.stop_requested,
            fence=context.fence,
        )
        return result.outcome
