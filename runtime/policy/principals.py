"""Whether a statement of a resource's (or a role's trust) policy is about a caller, and how closely. Pure.

Source: IAM user guide, "AWS JSON policy elements: Principal" and "NotPrincipal".
"""

from __future__ import annotations

from enum import IntEnum

from runtime.policy.callers import Account, Anonymous, Caller, Role, Root, Service, User, account_of
from runtime.policy.documents import Principals, Statement


class Grant(IntEnum):
    """How closely a caller is meant, from not at all to by its very session."""

    NONE = 0
    ACCOUNT = 1
    """By its account, which may hand the right on to its users and roles."""
    PRINCIPAL = 2
    """As itself, or with everyone."""
    SESSION = 3
    """By the ARN of its session."""


def granted(statement: Statement, caller: Caller, home: str) -> Grant:
    """How closely `statement` names `caller`; `home` is the account of root. Without a Principal: nobody."""
    if statement.not_principals is not None:
        return Grant.NONE if _all_named(statement.not_principals, caller, home) else Grant.PRINCIPAL
    if statement.principals is None:
        return Grant.NONE
    return _named(statement.principals, caller, home)


def _named(principals: Principals, caller: Caller, home: str) -> Grant:
    if isinstance(caller, Service):
        known = principals.everyone or caller.principal in principals.services
        return Grant.PRINCIPAL if known else Grant.NONE
    if isinstance(caller, Role) and caller.session_arn in principals.aws:
        return Grant.SESSION
    if principals.everyone or (isinstance(caller, Role | User) and caller.arn in principals.aws):
        return Grant.PRINCIPAL
    if isinstance(caller, Anonymous):
        return Grant.NONE
    account = account_of(caller, home)
    if _names_account(principals, account):
        return Grant.PRINCIPAL if isinstance(caller, Root | Account) else Grant.ACCOUNT
    return Grant.NONE


def _names_account(principals: Principals, account: str) -> bool:
    return account in principals.aws or any(
        arn.startswith("arn:") and arn.endswith(f":iam::{account}:root") for arn in principals.aws
    )


def _all_named(excepted: Principals, caller: Caller, home: str) -> bool:
    """Whether NotPrincipal excepts the caller: itself and everything it belongs to must be listed.

    Source: "you must also specify the account ARN of the not-denied principal", and for a session the role's ARN.
    """
    if excepted.everyone:
        return True
    match caller:
        case Service():
            return caller.principal in excepted.services
        case Anonymous():
            return False
        case Role():
            itself = {caller.arn, caller.session_arn} <= set(excepted.aws)
        case User():
            itself = caller.arn in excepted.aws
        case _:
            itself = True
    return itself and _names_account(excepted, account_of(caller, home))
