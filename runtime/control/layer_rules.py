"""How layers are named, and which ones a function may use. Pure. Source: reference §8 and §16."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from runtime.api.errors import ApiError, invalid
from runtime.names import Scope

MAX_LAYERS = 5
MAX_UNZIPPED_BYTES = 262_144_000
_LAYER = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):layer:)?(?P<name>[a-zA-Z0-9-_]{1,140})"
    r"(?::(?P<number>\d+))?"
)


@dataclass(frozen=True, slots=True)
class LayerReference:
    """A layer of this account, and the version that was named (None: no version)."""

    name: str
    number: int | None = None


def layer_arn(scope: Scope, name: str, number: int | None = None) -> str:
    """`arn:aws:lambda:<region>:<account>:layer:<name>[:<number>]`."""
    base = f"arn:aws:lambda:{scope.region}:{scope.account}:layer:{name}"
    return base if number is None else f"{base}:{number}"


def parse(text: str, scope: Scope) -> LayerReference:
    """What `text`, a layer's name or an ARN of a layer or a layer version, names.

    Raises:
        ApiError: another account's or region's layer, which is not on this machine; no name at all.
    """
    match = _LAYER.fullmatch(text)
    if match is None:
        raise invalid(f"Invalid Layer ARN: {text}")
    if match["region"] is not None and (match["region"], match["account"]) != (scope.region, scope.account):
        raise ApiError(
            "AccessDeniedException",
            f"Layer {text} belongs to another account or region; this local runtime has the layers of account "
            f"{scope.account} in {scope.region} only",
        )
    return LayerReference(match["name"], None if match["number"] is None else int(match["number"]))


def check_list(arns: Sequence[str], scope: Scope) -> list[LayerReference]:
    """The layer versions that a function's `Layers` name, in order.

    Raises:
        ApiError: more than five, two versions of one layer, or an ARN without a version.
    """
    if len(arns) > MAX_LAYERS:
        raise invalid("Cannot reference more than 5 layers.")
    references: list[LayerReference] = []
    for arn in arns:
        reference = parse(arn, scope)
        if reference.number is None or not arn.startswith("arn:"):
            raise ApiError(
                "ValidationException",
                f"1 validation error detected: Value '[{', '.join(arns)}]' at 'layers' failed to satisfy constraint: "
                "Member must satisfy constraint: [Member must be the ARN of a layer version]",
            )
        if any(reference.name == other.name for other in references):
            raise invalid(
                "Two different versions of the same layer are not allowed to be referenced in the same function. "
                f"{layer_arn(scope, reference.name)} is referenced more than once."
            )
        references.append(reference)
    return references


def check_size(code_bytes: int, layer_bytes: Sequence[int]) -> None:
    """Nothing when code and layers fit together.

    Raises:
        ApiError: unzipped, they have more than 250 MB.
    """
    total = code_bytes + sum(layer_bytes)
    if total > MAX_UNZIPPED_BYTES:
        raise invalid(
            f"Function code combined with layers exceeds the maximum allowed size of {MAX_UNZIPPED_BYTES} bytes. "
            f"The actual size is {total} bytes."
        )


def compatible(listed: Sequence[str], wanted: str | None) -> bool:
    """Whether a layer version made for `listed` (empty: says nothing) shows when `wanted` is asked for."""
    return wanted is None or wanted in listed
