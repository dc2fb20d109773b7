"""What a provider is: its action type, how its configuration is checked, and how it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from core.clock import Clock
from core.ids import Ids
from core.outcome import Outcome
from core.secrets import Redactor
from deploy.targets import Targets

if TYPE_CHECKING:  # reading action types must not cost the import of SQLAlchemy
    from store.artifacts import ArtifactStore
    from store.database import Database


class Configuration(BaseModel):
    """An action's configuration as the user writes it; unknown keys are mistakes. Fields are written in camelCase."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_camel)


Check = Callable[[Mapping[str, Any]], list[tuple[str, str, str]]]


@dataclass(frozen=True, slots=True)
class ActionType:
    """One row of the table of action types (Source: CodePipeline action structure reference).

    `inputs` and `outputs` are (least, most) artifact counts. `variables` names the output variables that are known
    beforehand; None means they are only known when the action has run (a build's exported variables).
    `check` finds mistakes a schema cannot express: (dotted path inside the configuration, what, hint) triples; values
    may still hold `#{namespace.key}`. `performed_by` "person": the engine waits for the answer, and never calls `run`.
    """

    category: str  # Source | Build | Test | Deploy | Approval | Compute | Invoke
    provider: str
    inputs: tuple[int, int]
    outputs: tuple[int, int]
    configuration: type[Configuration]
    variables: tuple[str, ...] | None = ()
    check: Check | None = None
    owner: str = "AWS"
    version: str = "1"
    performed_by: Literal["provider", "person"] = "provider"


@dataclass(frozen=True, slots=True)
class ActionContext:
    """Everything one start of one action may touch.

    `input(name)` unpacks an input artifact into the workspace (once) and gives its directory; it must not be changed
    by actions that only read. `workspace` is an empty directory that is removed afterwards. `log(line)` writes one
    line (redacted, timed) to the action's log. `report(**progress)` publishes progress facts (`percent_complete=`,
    `summary=`) and ledger events. `stop_requested()` is "" while the action may go on, else the reason it must end;
    long waits ask it at least once a second. `tag` marks every process started for this action.
    `output_variables` are the names that a Commands action declares beside its commands.
    """

    pipeline: str
    execution_id: str
    stage: str
    action: str
    action_execution_id: str
    attempt: int
    start: int
    configuration: Mapping[str, Any]
    commands: tuple[str, ...]
    environment: Mapping[str, str]
    input_artifacts: tuple[str, ...]
    output_artifacts: tuple[str, ...]
    target_specs: Mapping[str, Mapping[str, Any]]
    source_revisions: Mapping[str, str]
    repository_dir: Path
    workspace: Path
    tag: str
    deadline: datetime | None
    redactor: Redactor
    input: Callable[[str], Path]
    log: Callable[[str], None]
    report: Callable[..., None]
    stop_requested: Callable[[], str]
    fence: Callable[[Any], None]
    output_variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the composition root hands to every provider."""

    clock: Clock
    ids: Ids
    database: Database
    artifacts: ArtifactStore
    targets: Targets
    home: Path
    base_environment: Mapping[str, str]


class Provider(Protocol):
    """A provider ready to work. It blocks until the action's end.

    `run` may be called again for the same action after a crash: every effect may run twice. It raises only when *we*
    failed; the user's failure is a value.
    """

    def run(self, context: ActionContext) -> Outcome:
        """The action's outcome."""
        ...


class ProviderModule(Protocol):
    """What the module of a provider (ours or a plug-in's) offers."""

    ACTION_TYPE: ActionType

    @staticmethod
    def create(dependencies: Dependencies, /) -> Provider:
        """The provider, ready to work."""
        ...
