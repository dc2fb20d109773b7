"""What an alias may point at and how it may split its traffic. Pure. Source: reference §10."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runtime.api.errors import invalid, not_found
from runtime.catalog.records import FunctionVersion
from runtime.names import LATEST, Scope

Lookup = Callable[[str], FunctionVersion | None]


def check(function: str, version: str, weights: Mapping[str, float], find: Lookup, scope: Scope) -> None:
    """Nothing when an alias of `function` may point at `version` and send `weights` of its traffic elsewhere.

    Raises:
        ApiError: a version that does not exist; routing from or to `$LATEST`, to itself, to more than one version, or
            between versions whose role or dead-letter queue differ.
    """
    main = _existing(function, version, find, scope)
    if not weights:
        return
    if len(weights) > 1:
        raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    additional, weight = next(iter(weights.items()))
    if version == LATEST:
        raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
    if additional == version:
        raise invalid(
            f"Invalid function version {additional}. Function version {additional} is already included in "
            "routing configuration."
        )
    if not 0.0 <= weight <= 1.0:
        raise invalid("Value of AdditionalVersionWeights must be between 0.0 and 1.0")
    other = _existing(function, additional, find, scope)
    for name, word in (("Role", "execution role"), ("DeadLetterConfig", "dead-letter queue configuration")):
        if main.settings.get(name) != other.settings.get(name):
            raise invalid(f"Versions {version} and {additional} must have the same {word} to share an alias")


def _existing(function: str, version: str, find: Lookup, scope: Scope) -> FunctionVersion:
    found = find(version)
    if found is None:
        raise not_found(scope.arn(function, version))
    return found
