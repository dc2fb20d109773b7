"""At the door: who asks, whether the signature is right, and whether the caller may do what it asks for."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from runtime.api.errors import ApiError
from runtime.gateway.addresses import service_of
from runtime.http import Request
from runtime.names import Scope
from runtime.policy.authority import Authority
from runtime.policy.callers import Anonymous, Caller, Role, User
from runtime.policy.evaluate import Decision
from runtime.policy.execution_roles import ExecutionRoles
from runtime.policy.identify import ROOT, Identification
from runtime.policy.lambda_actions import need
from runtime.policy.mistakes import BadPolicy
from runtime.policy.roles import Roles
from runtime.policy.service_actions import needs
from runtime.policy.signature import access_key_id


class Guard:
    """Asked by the dispatcher before anything is done."""

    def __init__(
        self,
        identification: Identification,
        authority: Authority,
        roles: Roles,
        execution_roles: ExecutionRoles,
        scope: Scope,
    ) -> None:
        self._identification = identification
        self._authority = authority
        self._roles = roles
        self._execution_roles = execution_roles
        self._scope = scope

    def open(self, request: Request) -> bool:
        """Whether there is nothing to check: the caller is root, and no policy says anything about root."""
        return self._identification.now(request) is ROOT and self._authority.root_is_free

    async def caller(self, request: Request) -> Caller:
        """Who asks; what it needs to be judged is at hand afterwards.

        Raises:
            ApiError: the signature is not right, or its key counts no more.
        """
        caller = await self._identification.find(request)
        objection = self._identification.objection(request, caller)
        if objection is not None:
            raise objection
        key = access_key_id(request)
        if isinstance(caller, Role | User) and not self._roles.ready(caller, key):
            with contextlib.suppress(BadPolicy):  # said when it is decided
                await self._roles.load(caller, key)
        return caller

    async def lambda_operation(self, caller: Caller, operation: str, parameters: Mapping[str, Any]) -> None:
        """Nothing: `caller` may do this operation of the Lambda API.

        Raises:
            ApiError: it may not, or names a role that cannot be the function's.
        """
        if caller is not ROOT or not self._authority.root_is_free:
            self._check(caller, operation, parameters)
        await self._execution_roles.check(caller, operation, parameters)

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
        demand(self._authority.authorise(caller, asked.action, asked.resource, asked.context))


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
