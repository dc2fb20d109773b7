"""Reading options without pydantic: typer imports it (0.1 s) for the first option of any type, even a text.

Texts and paths, lists of them, and defaults are read here; every other one is left to typer.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

_PLAIN: dict[Any, Callable[[Any], Any]] = {
    str: str,
    Path: Path,
    list[str]: list,
    list[Path]: lambda values: [Path(value) for value in values],
}


def _read(parameter: Any, value: Any, typers_own: Callable[[], Any]) -> Any:
    """The value of a parameter, read by us if its type is plain."""
    described = getattr(parameter, "type_descriptor", None)
    annotation = getattr(described, "annotation", None)
    if (annotation is bool and value is None) or (annotation is int and isinstance(value, int)):
        return value
    if annotation not in _PLAIN or parameter.required or parameter.callback is not None:
        return typers_own()
    return None if value is None else _PLAIN[annotation](value)


class LightOption(TyperOption):
    """An option that reads plain values by itself."""

    def process_value(self, ctx: Any, value: Any) -> Any:
        """The value as the command's function gets it."""
        return _read(self, value, lambda: super(LightOption, self).process_value(ctx, value))


class LightArgument(TyperArgument):
    """An argument that reads plain values by itself."""

    def process_value(self, ctx: Any, value: Any) -> Any:
        """The value as the command's function gets it."""
        return _read(self, value, lambda: super(LightArgument, self).process_value(ctx, value))


class LightCommand(TyperCommand):
    """A command whose options and arguments are light."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, `--help` among them."""
        return [_light(parameter) for parameter in super().get_params(ctx)]


class LightGroup(TyperGroup):
    """A group of commands whose own options are light."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, `--help` among them."""
        return [_light(parameter) for parameter in super().get_params(ctx)]


def _light(parameter: Any) -> Any:
    if type(parameter) is TyperOption:
        parameter.__class__ = LightOption
    elif type(parameter) is TyperArgument:
        parameter.__class__ = LightArgument
    return parameter
