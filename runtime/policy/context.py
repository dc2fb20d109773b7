"""The condition keys of a request: what is known of the caller, the moment and the place. Pure.

Source: IAM user guide, "AWS global condition context keys". A key that is not known here is left out, as AWS leaves out
those that a request does not carry.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from core.units import iso
from runtime.names import Scope
from runtime.policy.callers import Anonymous, Caller, Role, Service, User, account_of, shown
from runtime.policy.patterns import Context


def context_of(caller: Caller, scope: Scope, now: datetime, extra: Mapping[str, str] | None = None) -> Context:
    """Condition keys in lower case; `extra` are further ones in any case."""
    found = {
        "aws:currenttime": iso(now),
        "aws:epochtime": str(int(now.timestamp())),
        "aws:requestedregion": scope.region,
        "aws:principalisawsservice": str(isinstance(caller, Service)).lower(),
        "aws:securetransport": "true",  # as it will be on AWS: a policy that demands it must not refuse everything here
        **_principal(caller, scope.account),
    }
    found |= {name.lower(): value for name, value in (extra or {}).items()}
    return found


def _principal(caller: Caller, home: str) -> dict[str, str]:
    if isinstance(caller, Service):
        account = caller.source_account or _account_in(caller.source_arn)
        named = {"aws:sourcearn": caller.source_arn, "aws:sourceaccount": account}
        given = {name: value for name, value in named.items() if value}
        return {**given, "aws:principalservicename": caller.principal, "aws:principaltype": "Service"}
    if isinstance(caller, Anonymous):
        return {"aws:principaltype": "Anonymous"}
    found = {"aws:principalaccount": account_of(caller, home)}
    match caller:
        case Role():
            found |= {"aws:principalarn": caller.arn, "aws:principaltype": "AssumedRole"}
        case User():
            found |= {"aws:principalarn": caller.arn, "aws:principaltype": "User", "aws:username": caller.name}
        case _:
            found |= {"aws:principalarn": shown(caller, home), "aws:principaltype": "Account"}
    return found


def _account_in(arn: str) -> str:
    """The account that an ARN names; empty when it names none, as a bucket's."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 else ""
