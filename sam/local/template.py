"""Reading a template to run it on this machine. Pure: files it includes are read by the caller's `read`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core.document import Document
from core.source import Diagnostic
from sam.globals_ import Properties, merged
from sam.local.apis import read_apis
from sam.local.functions import LocalFunctionReader
from sam.local.model import LocalFunction, LocalTemplate
from sam.local.resolver import LocalResolver, is_function
from sam.mistakes import Mistakes
from sam.template import SERVERLESS, function_globals, parsed

Read = Callable[[str], bytes]


def load_local(text: str | bytes, file: str, parameters: Mapping[str, str], read: Read) -> LocalTemplate:
    """What runs of the template in `text`. `parameters` wins over Defaults and gives pseudo parameters;
    `read(name)` is the content of a file beside the template (OSError when there is none).

    Raises:
        InvalidInput: every mistake in it, at its line and column.
    """
    document = parsed(text, file)
    mistakes = Mistakes(document)
    data = document.data
    if not isinstance(data, dict) or not isinstance(data.get("Resources"), dict):
        mistakes.add((), "a template is a mapping with Resources")
        mistakes.raise_if_any()
    resolver = LocalResolver(data, parameters, mistakes)
    resources = {
        name: resource
        for name, resource in data["Resources"].items()
        if isinstance(resource, Mapping) and resolver.holds(resource.get("Condition"))
    }
    shared = function_globals(data, mistakes)
    functions = [
        function
        for name, resource in resources.items()
        if is_function(resource.get("Type"))
        and (function := _function(document, name, resource, shared, resolver, mistakes, resources)) is not None
    ]
    apis = read_apis(data, resources, functions, resolver, mistakes, read)
    mistakes.raise_if_any()
    warnings = tuple(dict.fromkeys(mistakes.warnings))
    return LocalTemplate(file, tuple(functions), apis, warnings, resolver.region, resolver.account)


def of_function(template: LocalTemplate, logical_id: str) -> list[Diagnostic]:
    """The warnings about one function."""
    inside = f"Resources.{logical_id}."
    return [each for each in template.warnings if each.where.startswith((inside, "Globals.Function"))]


def _function(
    document: Document,
    name: str,
    resource: Mapping[str, Any],
    shared: Mapping[str, Any],
    resolver: LocalResolver,
    mistakes: Mistakes,
    resources: Mapping[str, Any],
) -> LocalFunction | None:
    path = ("Resources", name, "Properties")
    own = resource.get("Properties", {})
    if not isinstance(own, Mapping):
        mistakes.add(path, "Properties must be a mapping")
        return None
    serverless = resource.get("Type") == SERVERLESS
    properties = Properties(merged(shared, own) if serverless else dict(own), own, path, ("Globals", "Function"))
    reader = LocalFunctionReader(name, properties, resolver, mistakes, resource, resources)
    return reader.read_local(document.key_location(("Resources", name)), "CodeUri" if serverless else "Code")
