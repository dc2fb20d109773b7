"""Statements of resource-based policies, written as Lambda writes them. Pure. Source: reference §13."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from runtime.api.errors import ApiError, conflict, invalid

Statement = Mapping[str, Any]

MAX_POLICY_BYTES = 20_480
VERSION = "2012-10-17"
_ACCOUNT = re.compile(r"\d{12}")
_SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|amazon\.com|internal)")
_IDENTITY = re.compile(r"arn:aws[a-zA-Z-]*:(iam|sts)::\d{12}:(root|(user|role|assumed-role|federated-user)/.+)")
_URL_ACTION, _INVOKE_ACTION = "lambda:InvokeFunctionUrl", "lambda:InvokeFunction"


def of_function(parameters: Mapping[str, Any], arn: str) -> dict[str, Any]:
    """The statement that AddPermission's `parameters` ask for on `arn`.

    Raises:
        ApiError: InvalidParameterValueException for a principal that is none, or a condition that the action excludes.
    """
    action = parameters["Action"]
    if parameters.get("FunctionUrlAuthType") and action != _URL_ACTION:
        raise invalid(f"FunctionUrlAuthType is only supported for {_URL_ACTION} action")
    if parameters.get("InvokedViaFunctionUrl") is not None and action != _INVOKE_ACTION:
        raise invalid(f"InvokedViaFunctionUrl is only supported for {_INVOKE_ACTION} action")
    equals = {
        "AWS:SourceAccount": parameters.get("SourceAccount"),
        "lambda:EventSourceToken": parameters.get("EventSourceToken"),
        "lambda:FunctionUrlAuthType": parameters.get("FunctionUrlAuthType"),
        "aws:PrincipalOrgID": parameters.get("PrincipalOrgID"),
    }
    via_url = parameters.get("InvokedViaFunctionUrl")
    conditions = {
        "StringEquals": equals,
        "ArnLike": {"AWS:SourceArn": parameters.get("SourceArn")},
        "Bool": {"lambda:InvokedViaFunctionUrl": None if via_url is None else str(via_url).lower()},
    }
    return _statement(parameters["StatementId"], principal(parameters["Principal"]), action, arn, conditions)


def of_layer(parameters: Mapping[str, Any], arn: str) -> dict[str, Any]:
    """The statement that AddLayerVersionPermission's `parameters` ask for on `arn`.

    Raises:
        ApiError: an organisation for anybody else than everyone.
    """
    organisation = parameters.get("OrganizationId")
    if organisation and parameters["Principal"] != "*":
        raise invalid("OrganizationId can only be specified if Principal is *")
    conditions = {"StringEquals": {"aws:PrincipalOrgID": organisation}}
    who = principal(parameters["Principal"])
    return _statement(parameters["StatementId"], who, parameters["Action"], arn, conditions)


def principal(text: str) -> str | dict[str, str]:
    """A statement's Principal: everyone, a service, or an account or identity by its ARN.

    Raises:
        ApiError: `text` is none of these.
    """
    if text == "*":
        return "*"
    if _ACCOUNT.fullmatch(text):
        return {"AWS": f"arn:aws:iam::{text}:root"}
    if _IDENTITY.fullmatch(text):
        return {"AWS": text}
    if _SERVICE.fullmatch(text):
        return {"Service": text}
    raise invalid("The provided principal was invalid. Please check the principal and try again.")


def added(statements: Sequence[Statement], statement: Statement) -> tuple[Statement, ...]:
    """The policy's statements with `statement` at the end.

    Raises:
        ApiError: its Sid is taken, or the policy becomes longer than 20 KB.
    """
    if any(each.get("Sid") == statement["Sid"] for each in statements):
        raise conflict(
            f"The statement id ({statement['Sid']}) provided already exists. Please provide a new statement id, or "
            "remove the existing statement."
        )
    grown = (*statements, statement)
    size = len(document(grown).encode())
    if size > MAX_POLICY_BYTES:
        raise ApiError(
            "PolicyLengthExceededException",
            f"The final policy size ({size}) is bigger than the limit ({MAX_POLICY_BYTES}).",
        )
    return grown


def without(statements: Sequence[Statement], sid: str) -> tuple[Statement, ...]:
    """The policy's statements without the one called `sid`.

    Raises:
        ApiError: ResourceNotFoundException, there is none.
    """
    left = tuple(each for each in statements if each.get("Sid") != sid)
    if len(left) == len(statements):
        raise ApiError("ResourceNotFoundException", f"Statement {sid} is not found in resource policy.")
    return left


def document(statements: Sequence[Statement], identifier: str = "default") -> str:
    """The policy as JSON, as GetPolicy shows it."""
    head = {"Version": VERSION, "Id": identifier} if identifier else {"Version": VERSION}
    return compact({**head, "Statement": list(statements)})


def compact(value: Any) -> str:
    """JSON without spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _statement(
    sid: str, who: str | Mapping[str, str], action: str, resource: str, conditions: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": who,
        "Action": action,
        "Resource": resource,
    }
    given = {operator: {key: value for key, value in keys.items() if value} for operator, keys in conditions.items()}
    given = {operator: keys for operator, keys in given.items() if keys}
    if given:
        statement["Condition"] = given
    return statement
