"""The parts that decide who may do what, put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.clock import Clock
from core.ids import Ids
from runtime.catalog.store import Catalog
from runtime.names import Scope
from runtime.policy.authority import Authority
from runtime.policy.execution_roles import ExecutionRoles
from runtime.policy.guard import Guard
from runtime.policy.iam import Forward, Iam
from runtime.policy.identify import OWN_KEYS, Identification, Resident, Vouched
from runtime.policy.identity_service import IdentityService
from runtime.policy.roles import Roles
from runtime.policy.sessions import Sessions

_ROOT_KEY = f"{OWN_KEYS}READIAM"
"""The backend knows no such key, so it answers for the home account."""


@dataclass(frozen=True, slots=True)
class Backend:
    """Whoever keeps IAM and STS."""

    forward: Forward
    running: Callable[[], bool]
    """While it does not run, there is no role, no user and no key."""
    vouched: Vouched


@dataclass(frozen=True, slots=True)
class Door:
    """What the server takes from it.

    `authority` decides for services, `guard` for requests; `identity` answers IAM's and STS's callers.
    """

    sessions: Sessions
    execution_roles: ExecutionRoles
    authority: Authority
    guard: Guard
    identity: IdentityService


def door(
    catalog: Catalog,
    scope: Scope,
    clock: Clock,
    ids: Ids,
    backend: Backend,
    resident: Resident,
    *,
    strict: bool,
    warns: bool,
) -> Door:
    """The door of one server. `resident` tells functions' connections.

    `strict` refuses roles that are not in IAM; of others a function's log is told when the server `warns`.
    """
    sessions = Sessions()
    roles = Roles(Iam(backend.forward, scope.region), backend.running, clock, scope.account, _ROOT_KEY)
    authority = Authority(catalog, scope, clock, roles)
    identification = Identification(
        scope.account, sessions, resident, backend.vouched, roles.owner, backend.running, clock
    )
    execution_roles = ExecutionRoles(catalog, authority, roles, scope, strict=strict, warns=warns)
    guard = Guard(identification, authority, roles, execution_roles, scope)
    identity = IdentityService(backend.forward, identification, sessions, roles, authority, scope.account, ids)
    return Door(sessions, execution_roles, authority, guard, identity)
