"""A document as the checks read it: whatever has the right type, with its place. What has not is reported elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.document import Path

if TYPE_CHECKING:
    from stages.base import ActionType

Catalog = Callable[[str], "ActionType | None"]
Placed = tuple[Path, str]


@dataclass(frozen=True, slots=True)
class ActionView:
    """One action. `type` is None when the provider is missing or unknown, `run_order` None when it is no number."""

    path: Path
    stage: int
    stage_name: str
    name: str
    provider: str
    type: ActionType | None
    run_order: int | None
    configuration: Mapping[str, Any]
    commands: tuple[Placed, ...]
    environment: tuple[Placed, ...]
    inputs: tuple[Placed, ...]
    outputs: tuple[Placed, ...]
    output_variables: tuple[Placed, ...]
    namespace: str
    data: Mapping[str, Any]

    @property
    def source(self) -> bool:
        """Whether it is a Source action."""
        return self.type is not None and self.type.category == "Source"


@dataclass(frozen=True, slots=True)
class StageView:
    """One stage; `name` is "" when it has none."""

    path: Path
    index: int
    name: str
    actions: tuple[ActionView, ...]
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PipelineView:
    """A whole file; every part may be empty."""

    stages: tuple[StageView, ...]
    variables: Mapping[str, Any]
    targets: Mapping[str, Any]
    triggers: tuple[tuple[Path, Mapping[str, Any]], ...]
    execution_mode: str

    @property
    def actions(self) -> Iterator[ActionView]:
        """Every action in the order of the file."""
        return (action for stage in self.stages for action in stage.actions)


def view(data: Any, catalog: Catalog) -> PipelineView:
    """`data` as far as it can be understood."""
    top = mapping(data)
    return PipelineView(
        stages=tuple(
            _stage(index, stage, catalog)
            for index, stage in enumerate(sequence(top.get("stages")))
            if isinstance(stage, dict)
        ),
        variables=mapping(top.get("variables")),
        targets=mapping(top.get("targets")),
        triggers=tuple(
            (("triggers", index), trigger)
            for index, trigger in enumerate(sequence(top.get("triggers")))
            if isinstance(trigger, dict)
        ),
        execution_mode=text(top.get("executionMode")),
    )


def mapping(value: Any) -> Mapping[str, Any]:
    """`value` when it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """`value` when it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """`value` when it is text, else ""."""
    return value if isinstance(value, str) else ""


def texts(value: Any, path: Path) -> tuple[Placed, ...]:
    """Every non-empty text of a list or of a mapping's values, with its place."""
    items = value.items() if isinstance(value, dict) else enumerate(sequence(value))
    return tuple(((*path, step), item) for step, item in items if isinstance(item, str) and item)


def _stage(index: int, data: Mapping[str, Any], catalog: Catalog) -> StageView:
    path: Path = ("stages", index)
    name = text(data.get("name"))
    actions = tuple(
        _action((*path, "actions", place), index, name, action, catalog)
        for place, action in enumerate(sequence(data.get("actions")))
        if isinstance(action, dict)
    )
    return StageView(path, index, name, actions, data)


def _action(path: Path, stage: int, stage_name: str, data: Mapping[str, Any], catalog: Catalog) -> ActionView:
    provider = text(data.get("provider"))
    order = data.get("runOrder", 1)
    return ActionView(
        path=path,
        stage=stage,
        stage_name=stage_name,
        name=text(data.get("name")),
        provider=provider,
        type=catalog(provider) if provider else None,
        run_order=int(order) if isinstance(order, (int, float)) and not isinstance(order, bool) else None,
        configuration=mapping(data.get("configuration")),
        commands=texts(data.get("commands"), (*path, "commands")),
        environment=texts(data.get("environmentVariables"), (*path, "environmentVariables")),
        inputs=texts(data.get("inputArtifacts"), (*path, "inputArtifacts")),
        outputs=texts(data.get("outputArtifacts"), (*path, "outputArtifacts")),
        output_variables=texts(data.get("outputVariables"), (*path, "outputVariables")),
        namespace=text(data.get("namespace")),
        data=data,
    )
