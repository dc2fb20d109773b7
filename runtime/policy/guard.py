"""At the door: who asks, whether the signature is right, and whether the caller may do what it asks for."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from runtime.api.errors import ApiError, invalid
from runtime.gateway.addresses import service_of
from runtime.http import Request
from runtime.names import Scope, parse
from runtime.policy.authority import Authority
from runtime.policy.callers import LAMBDA, Anonymous, Caller, Role, Service, User
from runtime.policy.evaluate import Decision
from runtime.policy.identify import ROOT, Identification
from runtime.policy.lambda_actions import need
from runtime.policy.mistakes import BadPolicy
from runtime.policy.roles import Roles
from runtime.policy.service_actions import needs
from runtime.policy.signature import access_key_id

NOT_ASSUMABLE = "The role defined for the function cannot be assumed by Lambda."
_ROLE_OF_ITS_OWN = frozenset({"CreateFunction", "UpdateFunctionConfiguration"})


class Guard:
    """Asked by the dispatcher before anything is done. `strict` refuses roles that the local IAM does not know."""

    def __init__(
        self, identification: Identification, authority: Authority, roles: Roles, scope: Scope, *, strict: bool
    ) -> None:
        self._identification = identification
        self._authority = authority
        self._roles = roles
        self._scope = scope
        self._strict = strict

    def open(self, request: Request) -> bool:
        """Whether there is nothing to check: the caller is root, and no policy says anything about root."""
        return self._identification.now(request) is ROOT and self._authority.root_is_free

    async def caller(self, request: Request) -> Caller:
        """Who asks; what it needs to be judged is at hand afterwards.

        Raises:
            ApiError: the signature is not right.
        """
        caller = await self._identification.find(request)
        if not self._identification.genuine(request, caller):
            raise ApiError(
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                "Access Key and signing method. Consult the service documentation for details.",
            )
        if isinstance(caller, Role | User) and not self._roles.fresh(caller):
            with contextlib.suppress(BadPolicy):  # said when it is decided
                await self._roles.load(caller, access_key_id(request))
        return caller

    async def lambda_operation(self, caller: Caller, operation: str, parameters: Mapping[str, Any]) -> None:
        """Nothing: `caller` may do this operation of the Lambda API.

        Raises:
            ApiError: it may not, or names a role that cannot be the function's.
        """
        if caller is not ROOT or not self._authority.root_is_free:
            self._check(caller, operation, parameters)
        role = parameters.get("Role")
        if role and operation in _ROLE_OF_ITS_OWN:
            await self._check_role(caller, role, parameters["FunctionName"])

    def other_service(self, caller: Caller, service: str, request: Request) -> None:
        """Nothing: as far as it can be told what the request needs, the caller's own policies allow it.

        Raises:
            ApiError: they do not; or a function sent a request without a signature (S3's public objects apart).
        """
        if isinstance(caller, Anonymous) and _needs_signature(request):
            raise ApiError("MissingAuthenticationTokenException", "Missing Authentication Token")
        if not isinstance(caller, Role | User) or not self._authority.restricts(caller):
            return
        for each in needs(service, request, self._scope) or ():
            demand(self._authority.elsewhere(caller, each.action, each.resource))

    def _check(self, caller: Caller, operation: str, parameters: Mapping[str, Any]) -> None:
        if isinstance(caller, Anonymous):
            raise ApiError("MissingAuthenticationTokenException", "Missing Authentication Token")
        asked = need(operation, parameters, self._scope)
        decide_on = self._authority.authorise if asked.is_function else self._authority.elsewhere
        demand(decide_on(caller, asked.action, asked.resource, asked.context))

    async def _check_role(self, caller: Caller, arn: str, function: str) -> None:
        """The caller may pass the role, and Lambda may assume it. Source: reference §13, "Execution role"."""
        if isinstance(caller, Role | User):
            context = {"iam:PassedToService": LAMBDA}
            demand(self._authority.elsewhere(caller, "iam:PassRole", arn, context))
        try:
            known = await self._roles.load(Role(arn, ""))
        except BadPolicy as error:
            raise invalid(f"{NOT_ASSUMABLE} {error}") from None
        if known is None:
            if self._strict:
                raise invalid(NOT_ASSUMABLE)
            return
        source = parse(function, self._scope)
        lambda_ = Service(LAMBDA, self._scope.arn(source.name), self._scope.account)
        if not self._authority.trusted(known.trust, lambda_, arn).allowed:
            raise invalid(NOT_ASSUMABLE)


def _needs_signature(request: Request) -> bool:
    """Not so what S3 may have made public, and function URLs, which see to it themselves."""
    named = service_of(request.method, request.path, request.query, request.headers)
    return named == "?" or request.path.startswith("/service/")


def demand(decision: Decision) -> None:
    """Nothing: it is allowed.

    Raises:
        ApiError: it is not.
    """
    if not decision.allowed:
        raise ApiError("AccessDeniedException", decision.message)
