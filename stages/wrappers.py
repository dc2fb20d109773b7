"""What several providers do around their work: read configuration and target, turn a user's mistake into an outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pydantic import ValidationError

from core.document import suggest
from core.errors import InvalidInput
from core.outcome import Failed, Outcome
from deploy.targets import Target
from stages.base import ActionContext, Check, Configuration, Dependencies

C = TypeVar("C", bound=Configuration)


def configuration(model: type[C], context: ActionContext, check: Check | None = None) -> C:
    """The action's configuration, its `#{…}` by now replaced, and therefore checked once more.

    Raises:
        InvalidInput: a value does not fit; every one that doesn't is named.
    """
    where = f"{context.stage}/{context.action}"
    found = check(context.configuration) if check else []
    if found:
        why = "; ".join(f"{at}: {what}" for at, what, _ in found)
        raise InvalidInput("the configuration is wrong", where=where, why=why)
    try:
        # A variable is always text: "5" may now stand where the file would need 5. The rest was checked strictly.
        return model.model_validate(dict(context.configuration), strict=False)
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_url=False))
        raise InvalidInput("the configuration is wrong", where=where, why="; ".join(problems)) from None


def mistakes_fail(work: Callable[[], Outcome]) -> Outcome:
    """The outcome of `work`; what the user wrote wrongly makes the action fail instead of raising."""
    try:
        return work()
    except InvalidInput as error:
        return Failed("ConfigurationError", str(error))


def target_of(dependencies: Dependencies, context: ActionContext, name: str) -> Target:
    """The target of that name in the pipeline.

    Raises:
        InvalidInput: the pipeline has none of that name.
    """
    if name not in context.target_specs:
        hint = suggest(name, context.target_specs) or f"the pipeline has {', '.join(context.target_specs) or 'none'}"
        raise InvalidInput(f"there is no target '{name}'", where=f"{context.stage}/{context.action}", hint=hint)
    return dependencies.targets(name, context.target_specs[name])
