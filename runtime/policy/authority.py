"""The one that is asked: may this caller do this to that function?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from core.clock import Clock
from runtime.catalog.documents import LayerPolicy
from runtime.catalog.documents import Policy as ResourcePolicy
from runtime.catalog.store import Catalog
from runtime.names import Scope, parse
from runtime.policy import documents
from runtime.policy.callers import Caller, Role, User, shown
from runtime.policy.context import context_of
from runtime.policy.evaluate import Decision, Policies, Question, decide, missing, names
from runtime.policy.mistakes import BadPolicy

_LAYER_VERSION = re.compile(r"arn:[^:]+:lambda:[^:]+:[^:]+:layer:(?P<name>[^:]+):(?P<number>\d+)")


@dataclass(frozen=True, slots=True)
class Identity:
    """The policies of a role or a user. `policies` None: it is not known here, so nothing restricts it."""

    policies: tuple[documents.Policy, ...] | None = None
    boundary: documents.Policy | None = None


class Identities(Protocol):
    """Who knows the policies of roles and users."""

    def of(self, caller: Role | User) -> Identity:
        """What is known of the caller now.

        Raises:
            BadPolicy: one of its policies cannot be read.
        """
        ...


class Authority:
    """Decides over functions: resource policies from the catalog, the callers' own from `identities`."""

    def __init__(self, catalog: Catalog, scope: Scope, clock: Clock, identities: Identities) -> None:
        self._catalog = catalog
        self._scope = scope
        self._clock = clock
        self._identities = identities
        self._generation = -1
        self._root_is_free = False
        self._read: dict[str, tuple[str, documents.Policy]] = {}

    def authorise(self, caller: Caller, action: str, arn: str, context: Mapping[str, str] | None = None) -> Decision:
        """Whether `caller` may do `action` (`lambda:InvokeFunction`) to exactly that ARN, qualifier included.

        The ARN is that of a function, a version, an alias, a layer version, or `*`. A policy without a qualifier covers
        the unqualified ARN only. `context` are further condition keys. Source: reference §13, "Scope".
        """
        policy = self._resource_policy(arn)
        known = context_of(caller, self._scope, self._clock.now(), context)
        return self._decide(Question(caller, action, arn, self._scope.account, known), policy)

    def elsewhere(
        self, caller: Caller, action: str, resource: str | None, context: Mapping[str, str] | None = None
    ) -> Decision:
        """Whether the caller's own policies allow `action` on something of another service of this account.

        `resource` None: it is not known on what.
        """
        known = context_of(caller, self._scope, self._clock.now(), context)
        return self._decide(Question(caller, action, resource, self._scope.account, known), None)

    def trusted(
        self, trust: documents.Policy | None, caller: Caller, role: str, context: Mapping[str, str] | None = None
    ) -> Decision:
        """Whether `role`'s trust policy lets the caller assume it; its own policies must agree as anywhere else."""
        known = context_of(caller, self._scope, self._clock.now(), context)
        question = Question(caller, "sts:AssumeRole", role, self._scope.account, known)
        if trust is None or not names(trust, question):
            return missing(question, "resource-based policy")
        return self._decide(question, trust)

    def restricts(self, caller: Role | User) -> bool:
        """Whether any policy of the caller's own is known."""
        try:
            return self._identities.of(caller).policies is not None or (
                isinstance(caller, Role) and bool(caller.policy)
            )
        except BadPolicy:
            return True

    @property
    def root_is_free(self) -> bool:
        """Whether no policy here could deny the account's root anything: then it need not be asked."""
        if self._generation != self._catalog.generation:
            self._generation = self._catalog.generation
            self._root_is_free = not any(
                statement.get("Effect") == "Deny"
                for policy in self._catalog.all(ResourcePolicy)
                for statement in policy.statements
            )
        return self._root_is_free

    def _decide(self, question: Question, resource: documents.Policy | None) -> Decision:
        caller, identity, session = question.caller, Identity(), None
        try:
            if isinstance(caller, Role | User):
                identity = self._identities.of(caller)
            if isinstance(caller, Role) and caller.policy:
                session = documents.read_policy(caller.policy)
        except BadPolicy as error:
            who = shown(caller, question.account)
            return Decision(False, f"a policy of {who} cannot be read: {error}", f"A policy of {who}: {error}")
        return decide(question, Policies(identity.policies, resource, identity.boundary, session))

    def _resource_policy(self, arn: str) -> documents.Policy | None:
        kept = self._kept_policy(arn)
        if kept is None:
            self._read.pop(arn, None)
            return None
        known = self._read.get(arn)
        if known is None or known[0] != kept.revision_id:
            known = self._read[arn] = (kept.revision_id, documents.policy_of(kept.statements, f"of {arn}"))
        return known[1]

    def _kept_policy(self, arn: str) -> ResourcePolicy | LayerPolicy | None:
        layer = _LAYER_VERSION.fullmatch(arn)
        if layer is not None:
            return self._catalog.find(LayerPolicy, layer["name"], layer["number"])
        if ":function:" not in arn:
            return None
        reference = parse(arn, self._scope)
        return self._catalog.policy(reference.name, reference.qualifier)
