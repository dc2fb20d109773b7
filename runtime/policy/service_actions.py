"""Which permissions a request to a service beside Lambda needs, where that can be told reliably. Pure.

JSON and query services name their operation in the request, and IAM's action bears the operation's name but for the
exceptions below. Of REST services only S3 and Scheduler are known here. Source: Service Authorization Reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from runtime.api.wires import Cbor, Json, detect
from runtime.http import Request
from runtime.names import Scope
from runtime.policy.s3_actions import s3_needs
from runtime.policy.service_resources import ServiceNeed, resources_of
from runtime.reading import json_of

_PREFIXES: Mapping[str, str] = {"monitoring": "cloudwatch", "tagging": "tag", "email": "ses"}
"""Where a service signs under another name than its actions have."""
_RENAMED: Mapping[str, str] = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sns:PublishBatch": "sns:Publish",
}
_TRANSACTIONS = frozenset({"TransactGetItems", "TransactWriteItems"})
_TRANSACTION_ACTIONS: Mapping[str, str] = {
    "Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}  # fmt: skip
_STATEMENTS = frozenset({"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"})
_FREE = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken"})
"""Nobody needs a permission for these."""
_SCHEDULE = re.compile(r"/(?:schedules(?:/(?P<name>[^/]+))?|schedule-groups(?:/(?P<group>[^/]+))?)")
_SCHEDULE_VERBS: Mapping[str, str] = {"GET": "Get", "POST": "Create", "PUT": "Update", "DELETE": "Delete"}


def needs(service: str, request: Request, scope: Scope) -> tuple[ServiceNeed, ...] | None:
    """All the permissions that the request needs; None when they cannot be told; empty when it needs none.

    `service` is the signing name.
    """
    if service == "s3":
        return s3_needs(request)
    if service == "scheduler":
        return _schedule(request, scope)
    operation, parameters = _read(request)
    if not operation:
        return None
    prefix = _PREFIXES.get(service, service)
    if prefix == "dynamodb" and operation in _TRANSACTIONS:
        return _transaction(parameters, scope)
    if prefix == "dynamodb" and operation in _STATEMENTS:
        return None
    named = f"{prefix}:{operation}"
    action = _RENAMED.get(named, named)
    if action in _FREE:
        return ()
    return tuple(ServiceNeed(action, resource) for resource in resources_of(prefix, operation, parameters, scope))


def _read(request: Request) -> tuple[str, Mapping[str, Any]]:
    """The operation and its parameters (of a CBOR request only the operation); empty for a REST service."""
    wire = detect(request)
    if isinstance(wire, Cbor):
        return wire.operation(request), {}
    if isinstance(wire, Json):
        try:
            body = json_of(request.body or b"{}")
        except ValueError:
            body = {}
        return wire.operation(request), body if isinstance(body, dict) else {}
    form = dict(parse_qsl(request.body.decode("utf-8", "replace") if wire is not None else request.query))
    return form.get("Action", ""), form


def _transaction(parameters: Mapping[str, Any], scope: Scope) -> tuple[ServiceNeed, ...]:
    found = []
    for item in parameters.get("TransactItems", []):
        for kind, action in _TRANSACTION_ACTIONS.items():
            if kind in item:
                (resource,) = resources_of("dynamodb", action, item[kind], scope)
                found.append(ServiceNeed(f"dynamodb:{action}", resource))
    return tuple(found)


def _schedule(request: Request, scope: Scope) -> tuple[ServiceNeed, ...] | None:
    match, verb = _SCHEDULE.fullmatch(request.path), _SCHEDULE_VERBS.get(request.method)
    if match is None or verb is None:
        return None
    is_group = request.path.startswith("/schedule-groups")
    kind, name = ("ScheduleGroup", match["group"]) if is_group else ("Schedule", match["name"])
    action = f"scheduler:{verb}{kind}" if name else f"scheduler:List{kind}s"
    base = f"arn:aws:scheduler:{scope.region}:{scope.account}"
    if not name:
        return (ServiceNeed(action, "*"),)
    group = name if is_group else dict(parse_qsl(request.query)).get("groupName", "")
    if not is_group and not group:
        return (ServiceNeed(action, None),)  # the group may be in the body
    return (ServiceNeed(action, f"{base}:schedule-group/{name}" if is_group else f"{base}:schedule/{group}/{name}"),)
