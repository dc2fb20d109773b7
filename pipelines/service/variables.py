"""The value of every pipeline variable of one start, or every reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.document import suggest
from core.errors import InvalidInput
from pipelines.definition.model import Variable

LONGEST_VALUE = 1000


def resolve(declared: Sequence[Variable], given: Mapping[str, str]) -> dict[str, str]:
    """Each declared variable's value: the given one, else its default.

    Raises:
        InvalidInput: an unknown name, a variable with neither value nor default, a value that is not allowed, empty
            or longer than 1000 characters; all of them at once.
    Source: CodePipeline StartPipelineExecution, PipelineVariable (value of 1 to 1000 characters).
    """
    by_name = {variable.name: variable for variable in declared}
    mistakes = [_unknown(name, list(by_name)) for name in given if name not in by_name]
    values: dict[str, str] = {}
    for variable in declared:
        value = given.get(variable.name, variable.default)
        mistake = _mistake(variable, value)
        if mistake:
            mistakes.append(mistake)
        elif value is not None:
            values[variable.name] = value
    if mistakes:
        raise InvalidInput("; ".join(mistakes), where="variables")
    return values


def _unknown(name: str, known: list[str]) -> str:
    hint = suggest(name, known) or (
        f"declared are {', '.join(sorted(known))}" if known else "the pipeline declares none"
    )
    return f"there is no variable {name!r} ({hint})"


def _mistake(variable: Variable, value: str | None) -> str:
    if value is None:
        return f"variable {variable.name!r} has no default and was not given (add --var {variable.name}=…)"
    if variable.allowed and value not in variable.allowed:
        return f"variable {variable.name!r} cannot be {value!r} (allowed are {', '.join(variable.allowed)})"
    if not 1 <= len(value) <= LONGEST_VALUE:
        return f"variable {variable.name!r} must have 1 to {LONGEST_VALUE} characters, not {len(value)}"
    return ""
