"""Reading a SAM template: its functions, with every mistake at its place. Pure.

Read are AWS::Serverless::Function and AWS::Lambda::Function with code in a local directory; other resources are not
ours and left alone. Source: SAM template specification.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.document import Document, parse_bytes, parse_json, parse_yaml, suggest
from sam.functions import PROPERTIES, FunctionReader
from sam.globals_ import NOT_GLOBAL, SECTIONS, Properties, merged
from sam.intrinsics import Resolver
from sam.mistakes import Mistakes
from sam.model import DeploymentPreference, SamFunction, Template

__all__ = ["DeploymentPreference", "SamFunction", "Template", "load"]

SERVERLESS = "AWS::Serverless::Function"
PLAIN = "AWS::Lambda::Function"
TRANSFORM = "AWS::Serverless-2016-10-31"


def load(text: str | bytes, file: str, parameters: Mapping[str, str] | None = None) -> Template:
    """The template in `text`; `parameters` wins over the Defaults of its Parameters, and gives pseudo parameters.

    Raises:
        InvalidInput: every mistake in it, at its line and column.
    """
    document = parsed(text, file)
    mistakes = Mistakes(document)
    data = document.data
    if not isinstance(data, dict) or not isinstance(data.get("Resources"), dict):
        mistakes.add((), "a template is a mapping with Resources")
        mistakes.raise_if_any()
    resolver = Resolver(data, parameters or {}, mistakes)
    shared = function_globals(data, mistakes)
    functions = [
        _function(document, logical_id, resource, shared, resolver, mistakes)
        for logical_id, resource in data["Resources"].items()
        if isinstance(resource, Mapping) and resource.get("Type") in (SERVERLESS, PLAIN)
    ]
    _check_transform(data, mistakes)
    _check_names([function for function in functions if function is not None], mistakes)
    mistakes.raise_if_any()
    found = tuple(function for function in functions if function is not None)
    return Template(file, found, tuple(mistakes.warnings))


def parsed(text: str | bytes, file: str) -> Document:
    """The template's text with its short tags read. Raises: InvalidInput."""
    if isinstance(text, bytes):
        return parse_bytes(text, file, cloudformation=True)
    return parse_json(text, file) if file.endswith(".json") else parse_yaml(text, file, cloudformation=True)


def function_globals(data: Mapping[str, Any], mistakes: Mistakes) -> Mapping[str, Any]:
    """Globals.Function, its keys checked."""
    sections = data.get("Globals", {})
    if not isinstance(sections, Mapping):
        mistakes.add(("Globals",), "Globals must be a mapping")
        return {}
    for section in sections:
        if section not in SECTIONS:
            mistakes.add_key(("Globals", section), f"unknown section '{section}'", suggest(section, SECTIONS))
    shared = sections.get("Function", {})
    if not isinstance(shared, Mapping):
        mistakes.add(("Globals", "Function"), "it must be a mapping of properties")
        return {}
    for key in shared:
        path = ("Globals", "Function", key)
        if key in NOT_GLOBAL:
            mistakes.add_key(path, f"{key} may not stand in Globals", "give it to each function")
        elif key not in PROPERTIES:
            mistakes.add_key(path, f"unknown property '{key}'", suggest(key, PROPERTIES))
    return shared


def _function(
    document: Document,
    logical_id: str,
    resource: Mapping[str, Any],
    shared: Mapping[str, Any],
    resolver: Resolver,
    mistakes: Mistakes,
) -> SamFunction | None:
    path = ("Resources", logical_id, "Properties")
    own = resource.get("Properties", {})
    if not isinstance(own, Mapping):
        mistakes.add(path, "Properties must be a mapping")
        return None
    serverless = resource["Type"] == SERVERLESS
    if serverless:
        for key in own:
            if key not in PROPERTIES:
                mistakes.add_key((*path, key), f"unknown property '{key}'", suggest(key, PROPERTIES))
    data = merged(shared, own) if serverless else dict(own)
    properties = Properties(data, own, path, ("Globals", "Function"))
    reader = FunctionReader(logical_id, properties, resolver, mistakes)
    function = reader.read(document.key_location(("Resources", logical_id)), "CodeUri" if serverless else "Code")
    for key in function.unmanaged if function else ():
        mistakes.warn(properties.path(key), f"{key} of {logical_id} is not applied by a release")
    return function


def _check_transform(data: Mapping[str, Any], mistakes: Mistakes) -> None:
    transform = data.get("Transform", [])
    named = transform if isinstance(transform, list) else [transform]
    types = [item.get("Type") for item in data["Resources"].values() if isinstance(item, Mapping)]
    if SERVERLESS in types and TRANSFORM not in named:
        mistakes.add(("Transform",), f"the template needs `Transform: {TRANSFORM}`", "add that line")


def _check_names(functions: list[SamFunction], mistakes: Mistakes) -> None:
    taken: dict[str, str] = {}
    for function in functions:
        other = taken.setdefault(function.function_name, function.logical_id)
        if other != function.logical_id:
            path = ("Resources", function.logical_id, "Properties", "FunctionName")
            mistakes.add(path, f"{other} is named {function.function_name!r}, too", "give each function its own name")
