"""Execution roles: who may give one to a function, whether Lambda may use it, and whether it suffices.

A role that the local IAM does not know is accepted, so that nobody needs IAM to begin; what its function does is not
restricted then, and the function's log says so if it `warns`. `strict` refuses it instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.api.errors import ApiError, invalid
from runtime.catalog.records import FunctionVersion
from runtime.catalog.store import Catalog
from runtime.names import LATEST, Scope, parse
from runtime.policy.authority import Authority
from runtime.policy.callers import LAMBDA, Caller, Role, Service, User
from runtime.policy.mistakes import BadPolicy
from runtime.policy.role_needs import role_needs
from runtime.policy.roles import Roles

NOT_ASSUMABLE = "The role defined for the function cannot be assumed by Lambda."
_GIVING = frozenset({"CreateFunction", "UpdateFunctionConfiguration"})


class ExecutionRoles:
    """Asked before a function gets a role, and before Lambda is to use it."""

    def __init__(
        self, catalog: Catalog, authority: Authority, roles: Roles, scope: Scope, *, strict: bool, warns: bool
    ) -> None:
        self._warns = warns
        self._catalog = catalog
        self._authority = authority
        self._roles = roles
        self._scope = scope
        self._strict = strict

    async def check(self, caller: Caller, operation: str, parameters: Mapping[str, Any]) -> None:
        """Nothing: the operation may go on, as far as the execution role is concerned.

        Raises:
            ApiError: the caller may not pass the role, Lambda may not assume it, or it does not allow what Lambda is to
                do with it.
        """
        if operation in _GIVING and parameters.get("Role"):
            await self._check_given(caller, parameters["Role"], parameters["FunctionName"])
        needed = role_needs(operation, parameters)
        role = self._role_of(parameters) if needed else ""
        if not role or await self._loaded(role) is None:
            return
        session = Role(role, parse(parameters["FunctionName"], self._scope).name)
        for each in needed:
            if not self._authority.elsewhere(session, each.action, each.resource).allowed:
                raise invalid(each.problem)

    def warning(self, version: FunctionVersion) -> str:
        """What the log of a function should say about its role; empty for nothing."""
        arn = version.settings["Role"]
        if not self._warns or not self._roles.unknown(arn):
            return ""
        return f"the local IAM has no role {arn}: what this function asks of AWS services is not restricted"

    async def _check_given(self, caller: Caller, arn: str, function: str) -> None:
        if isinstance(caller, Role | User):
            decision = self._authority.elsewhere(caller, "iam:PassRole", arn, {"iam:PassedToService": LAMBDA})
            if not decision.allowed:
                raise ApiError("AccessDeniedException", decision.message)
        known = await self._loaded(arn)
        if known is None:
            if self._strict:
                raise invalid(NOT_ASSUMABLE)
            return
        source = self._scope.arn(parse(function, self._scope).name)
        if not self._authority.trusted(known.trust, Service(LAMBDA, source, self._scope.account), arn).allowed:
            raise invalid(NOT_ASSUMABLE)

    async def _loaded(self, arn: str) -> Any:
        try:
            return await self._roles.load(Role(arn, ""), latest=True)
        except BadPolicy as error:
            raise invalid(f"{NOT_ASSUMABLE} A policy of it cannot be read: {error}") from None

    def _role_of(self, parameters: Mapping[str, Any]) -> str:
        if parameters.get("Role"):
            return str(parameters["Role"])
        latest = self._catalog.version(parse(parameters["FunctionName"], self._scope).name, LATEST)
        return str(latest.settings["Role"]) if latest is not None else ""
