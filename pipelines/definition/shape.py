"""The shape of a pipeline.yaml: keys, types, lengths and character sets, one class per mapping of the file.

Both the parser and the JSON Schema come from these classes, so that they accept the same files. What a shape cannot
say (names that must be known, orders that must hold) is said by the checks.

Source: CodePipeline pipeline structure reference, for names, character sets and limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, NotRequired

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, with_config
from typing_extensions import TypedDict

NAME = r"^[A-Za-z0-9.@\-_]+$"
ARTIFACT = r"^[A-Za-z0-9\-_]+$"
NAMESPACE = r"^[A-Za-z0-9@\-_]+$"
VARIABLE = r"^[A-Za-z0-9_]+$"
REGION = r"^[a-z0-9\-]+$"
ROLE = r"^arn:aws[a-z\-]*:iam::[0-9]{12}:role/.+$"
URL = r"^https?://[^\s/]+\S*$"

PATTERN_WORDS = {
    NAME: "may only hold letters, digits and . @ - _",
    ARTIFACT: "may only hold letters, digits, - and _",
    NAMESPACE: "may only hold letters, digits, @, - and _",
    VARIABLE: "may only hold letters, digits and _",
    REGION: "must be a region such as eu-west-1",
    ROLE: "must be a role's ARN such as arn:aws:iam::123456789012:role/release",
    URL: "must be an http:// or https:// address",
}

MAX_MINUTES = 86400
MIN_APPROVAL_MINUTES = 5
MAX_ACTIONS = 1000
MAX_CONFIGURATION_BYTES = 100_000

_STRICT = ConfigDict(extra="forbid", strict=True)


def _closed(**schema: Any) -> ConfigDict:
    """A mapping without other keys; `schema` is added to its JSON Schema (the checks say the same in words)."""
    return ConfigDict(extra="forbid", strict=True, json_schema_extra=schema)


def _whole(value: object) -> object:
    """2.0 as 2, as JSON Schema sees it; everything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Name = Annotated[str, Field(min_length=1, max_length=100, pattern=NAME)]
ArtifactName = Annotated[str, Field(min_length=1, max_length=100, pattern=ARTIFACT)]
Namespace = Annotated[str, Field(min_length=1, max_length=100, pattern=NAMESPACE)]
EnvironmentName = Annotated[str, Field(min_length=1, max_length=128, pattern=VARIABLE)]
PipelineVariableName = Annotated[str, Field(min_length=1, max_length=128, pattern=NAMESPACE)]
Value = Annotated[str, Field(min_length=1, max_length=1000)]
Glob = Annotated[str, Field(min_length=1, max_length=255)]
Globs = Annotated[list[Glob], Field(min_length=1, max_length=8)]


@with_config(_STRICT)
class VariableShape(TypedDict):
    """A value every execution has; without a default each start must give it."""

    default: NotRequired[Value]
    description: NotRequired[Annotated[str, Field(max_length=200)]]
    allowed: NotRequired[Annotated[list[Value], Field(min_length=1, max_length=50)]]


@with_config(_STRICT)
class TargetShape(TypedDict):
    """Where releases go; an empty mapping is the embedded runtime or the environment's own AWS settings."""

    region: NotRequired[Annotated[str, Field(min_length=1, max_length=32, pattern=REGION)] | None]
    roleArn: NotRequired[Annotated[str, Field(max_length=1024, pattern=ROLE)] | None]
    endpointUrl: NotRequired[Annotated[str, Field(max_length=1024, pattern=URL)] | None]


@with_config(_closed(minProperties=1))
class FilterShape(TypedDict):
    """Glob patterns: passes what any include matches (all, without includes) and no exclude matches."""

    includes: NotRequired[Globs]
    excludes: NotRequired[Globs]


@with_config(
    _closed(
        oneOf=[
            {"required": ["branches"], "not": {"required": ["tags"]}},
            {"required": ["tags"], "maxProperties": 1},
        ]
    )
)
class PushShape(TypedDict):
    """Starts when commits arrive: on branches (and, of those, for some files), or on tags."""

    branches: NotRequired[FilterShape]
    tags: NotRequired[FilterShape]
    filePaths: NotRequired[FilterShape]


@with_config(_STRICT)
class ScheduleShape(TypedDict):
    """Starts at the due times of a five-field cron expression."""

    cron: Annotated[str, Field(min_length=1, max_length=256)]
    timezone: NotRequired[Annotated[str, Field(min_length=1, max_length=100)]]
    catchUp: NotRequired[Literal["latest", "all", "none"]]


@with_config(_closed(minProperties=1, maxProperties=1))
class TriggerShape(TypedDict):
    """One way an execution starts by itself: exactly one of the keys."""

    push: NotRequired[PushShape]
    schedule: NotRequired[ScheduleShape]


@with_config(_STRICT)
class RetryShape(TypedDict):
    """How an automatic retry is done."""

    retryMode: Literal["FAILED_ACTIONS", "ALL_ACTIONS"]


@with_config(_STRICT)
class OnFailureShape(TypedDict):
    """What happens by itself when the stage failed."""

    result: Literal["ROLLBACK", "RETRY"]
    retryConfiguration: NotRequired[RetryShape]


@with_config(_STRICT)
class ActionShape(TypedDict):
    """One action. `commands`, `environmentVariables` and `outputVariables` belong to the provider Commands."""

    name: Name
    provider: Annotated[str, Field(min_length=1, max_length=35)]
    runOrder: NotRequired[Annotated[int, Field(ge=1, le=999), BeforeValidator(_whole)]]
    configuration: NotRequired[dict[Annotated[str, Field(min_length=1, max_length=50)], Any]]
    commands: NotRequired[Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1, max_length=50)]]
    environmentVariables: NotRequired[
        Annotated[dict[EnvironmentName, Annotated[str, Field(max_length=2000)]], Field(min_length=1, max_length=10)]
    ]
    inputArtifacts: NotRequired[Annotated[list[ArtifactName], Field(max_length=100)]]
    outputArtifacts: NotRequired[Annotated[list[ArtifactName], Field(max_length=100)]]
    outputVariables: NotRequired[Annotated[list[EnvironmentName], Field(min_length=1, max_length=15)]]
    namespace: NotRequired[Namespace]
    timeoutInMinutes: NotRequired[Annotated[float, Field(gt=0, le=MAX_MINUTES)]]


@with_config(_STRICT)
class StageShape(TypedDict):
    """A stage: its actions run by `runOrder`, equal numbers together."""

    name: Name
    actions: Annotated[list[ActionShape], Field(min_length=1, max_length=50)]
    onFailure: NotRequired[OnFailureShape]


@with_config(_STRICT)
class PipelineShape(TypedDict):
    """A pipeline.yaml."""

    version: Annotated[int, Field(ge=1, le=1), BeforeValidator(_whole)]
    name: Name
    executionMode: NotRequired[Literal["QUEUED", "SUPERSEDED", "PARALLEL"]]
    variables: NotRequired[Annotated[dict[PipelineVariableName, VariableShape], Field(max_length=50)]]
    targets: NotRequired[Annotated[dict[Name, TargetShape], Field(max_length=50)]]
    triggers: NotRequired[Annotated[list[TriggerShape], Field(max_length=50)]]
    stages: Annotated[list[StageShape], Field(min_length=2, max_length=50)]


def _keys(shape: type) -> tuple[str, ...]:
    return tuple(shape.__annotations__)


# The keys of every mapping by its path; `*` stands for an index or a name of the user's.
KEYS: Mapping[tuple[str | int, ...], tuple[str, ...]] = {
    (): _keys(PipelineShape),
    ("variables", "*"): _keys(VariableShape),
    ("targets", "*"): _keys(TargetShape),
    ("triggers", "*"): _keys(TriggerShape),
    ("triggers", "*", "push"): _keys(PushShape),
    ("triggers", "*", "push", "branches"): _keys(FilterShape),
    ("triggers", "*", "push", "tags"): _keys(FilterShape),
    ("triggers", "*", "push", "filePaths"): _keys(FilterShape),
    ("triggers", "*", "schedule"): _keys(ScheduleShape),
    ("stages", "*"): _keys(StageShape),
    ("stages", "*", "onFailure"): _keys(OnFailureShape),
    ("stages", "*", "onFailure", "retryConfiguration"): _keys(RetryShape),
    ("stages", "*", "actions", "*"): _keys(ActionShape),
}


@cache
def adapter() -> TypeAdapter[Any]:
    """The validator of a whole file, built on first use."""
    return TypeAdapter(PipelineShape)
