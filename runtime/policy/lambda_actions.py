"""What permission an operation of the Lambda API needs, and on what. Pure.

Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Lambda".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runtime.names import Scope, parse

INVOKE = "lambda:InvokeFunction"
INVOKE_URL = "lambda:InvokeFunctionUrl"
_RENAMED = {
    "Invoke": INVOKE,
    "InvokeAsync": INVOKE,
    "InvokeWithResponseStream": INVOKE,
    "GetLayerVersionByArn": "lambda:GetLayerVersion",
}
_QUALIFIED = frozenset(
    {
        "Invoke", "InvokeWithResponseStream", "GetFunction", "GetFunctionConfiguration", "DeleteFunction",
        "AddPermission", "RemovePermission", "GetPolicy",
    }
)  # fmt: skip
"""Operations whose resource is the version or the alias that is asked for; that of all others is the function."""


@dataclass(frozen=True, slots=True)
class Need:
    """The permission, the resource's ARN (`*` when the operation is about none), and condition keys."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def need(operation: str, parameters: Mapping[str, Any], scope: Scope) -> Need:
    """What `operation` with these parameters needs.

    Raises:
        ApiError: the function's name is none.
    """
    action = _RENAMED.get(operation, f"lambda:{operation}")
    name = parameters.get("FunctionName")
    if "EventSourceMapping" in operation:
        return _of_mapping(action, parameters, scope)
    if name:
        reference = parse(name, scope, parameters.get("Qualifier"))
        qualifier = reference.qualifier if operation in _QUALIFIED else None
        return Need(action, scope.arn(reference.name, qualifier))
    if parameters.get("LayerName"):
        return Need(action, _layer(parameters, scope))
    named = parameters.get("Resource") or parameters.get("ResourceArn") or parameters.get("Arn") or "*"
    return Need(action, named)


def _of_mapping(action: str, parameters: Mapping[str, Any], scope: Scope) -> Need:
    """Mappings are told apart by the function they belong to. Source: condition key lambda:FunctionArn."""
    name, uuid = parameters.get("FunctionName"), parameters.get("UUID")
    context = {"lambda:FunctionArn": scope.arn(*_parts(name, scope))} if name else {}
    own = f"arn:aws:lambda:{scope.region}:{scope.account}:event-source-mapping:{uuid}" if uuid else "*"
    return Need(action, own, context=context)


def _parts(name: str, scope: Scope) -> tuple[str, str | None]:
    reference = parse(name, scope)
    return reference.name, reference.qualifier


def _layer(parameters: Mapping[str, Any], scope: Scope) -> str:
    name, number = parameters["LayerName"], parameters.get("VersionNumber")
    arn = name if name.startswith("arn:") else f"arn:aws:lambda:{scope.region}:{scope.account}:layer:{name}"
    return f"{arn}:{number}" if number is not None else arn
