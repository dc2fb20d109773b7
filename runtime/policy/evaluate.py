"""Whether policies allow a caller an action on a resource. Pure.

Source: IAM user guide, "Policy evaluation logic", "Cross-account policy evaluation logic" and "Permissions boundaries".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from runtime.policy.callers import Account, Anonymous, Caller, Root, Service, User, account_of, shown
from runtime.policy.conditions import holds
from runtime.policy.documents import Policy, Statement
from runtime.policy.patterns import Context, action_like, like
from runtime.policy.principals import Grant, granted


@dataclass(frozen=True, slots=True)
class Question:
    """May `caller` do `action` to `resource`? `account` owns the resource."""

    caller: Caller
    action: str
    """`lambda:InvokeFunction`."""
    resource: str | None
    """The ARN; None when it is not known: then every Allow covers it, and only a Deny of everything does."""
    account: str
    context: Context = field(default_factory=dict)
    """Condition keys in lower case."""


@dataclass(frozen=True, slots=True)
class Policies:
    """What there is to read. Each None means: none of this kind; no `identity` means the caller is not restricted."""

    identity: tuple[Policy, ...] | None = None
    resource: Policy | None = None
    boundary: Policy | None = None
    session: Policy | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes or no, and why."""

    allowed: bool
    reason: str
    """For people: which statement of which policy, or what is missing."""
    message: str = ""
    """AWS's words when not allowed."""


def decide(question: Question, policies: Policies) -> Decision:
    """Explicit denials first, then what the kind of caller needs."""
    denied = _explicit_denial(question, policies)
    if denied is not None:
        return denied
    caller = question.caller
    if isinstance(caller, Root) or caller == Account(question.account):
        return Decision(True, "the account's own root may do everything")
    if isinstance(caller, Service | Anonymous | Account):
        return _by_resource(question, policies)
    if account_of(caller, question.account) == question.account:
        return _within_account(question, policies)
    return _across_accounts(question, policies)


def names(policy: Policy, question: Question) -> bool:
    """Whether a resource's policy grants it at all, be it to the caller's account only."""
    return _resource_grant(question, policy)[0] is not Grant.NONE


def _explicit_denial(question: Question, policies: Policies) -> Decision | None:
    for kind, each in _all(policies):
        for number, statement in enumerate(each.statements):
            if statement.allows or not _applies(statement, question, each):
                continue
            if kind == "resource-based policy" and granted(statement, question.caller, question.account) is Grant.NONE:
                continue
            reason = f"denied by {_called(each, kind)}, {_labelled(statement, number)}"
            return Decision(False, reason, _message(question, f"with an explicit deny in {_a(kind)}"))
    return None


def _all(policies: Policies) -> Iterable[tuple[str, Policy]]:
    yield from (("identity-based policy", each) for each in policies.identity or ())
    if policies.resource is not None:
        yield "resource-based policy", policies.resource
    if policies.boundary is not None:
        yield "permissions boundary", policies.boundary
    if policies.session is not None:
        yield "session policy", policies.session


def _by_resource(question: Question, policies: Policies) -> Decision:
    grant, reason = _resource_grant(question, policies.resource)
    if grant is not Grant.NONE:
        return Decision(True, reason)
    return missing(question, "resource-based policy")


def _within_account(question: Question, policies: Policies) -> Decision:
    grant, by_resource = _resource_grant(question, policies.resource)
    if grant is Grant.SESSION or (grant is Grant.PRINCIPAL and isinstance(question.caller, User)):
        return Decision(True, by_resource)
    allowed, by_identity = _identity_allows(question, policies.identity)
    if not allowed and grant is not Grant.PRINCIPAL:
        return missing(question, "identity-based policy")
    return _limited(question, policies) or Decision(True, by_identity if allowed else by_resource)


def _across_accounts(question: Question, policies: Policies) -> Decision:
    """Both sides must agree: the caller's account by an identity policy, the resource's by its own policy."""
    grant, by_resource = _resource_grant(question, policies.resource)
    if grant is Grant.NONE:
        return missing(question, "resource-based policy")
    allowed, _ = _identity_allows(question, policies.identity)
    if not allowed:
        return missing(question, "identity-based policy")
    return _limited(question, policies) or Decision(True, by_resource)


def _limited(question: Question, policies: Policies) -> Decision | None:
    """What a boundary or a session policy withholds."""
    for kind, policy in (("permissions boundary", policies.boundary), ("session policy", policies.session)):
        if policy is not None and not _identity_allows(question, (policy,))[0]:
            return missing(question, kind)
    return None


def _identity_allows(question: Question, policies: tuple[Policy, ...] | None) -> tuple[bool, str]:
    if policies is None:
        return True, "the caller's own policies are not known, so they do not restrict it"
    for policy in policies:
        for number, statement in enumerate(policy.statements):
            if statement.allows and _applies(statement, question, policy):
                return True, f"allowed by {_called(policy, 'identity-based policy')}, {_labelled(statement, number)}"
    return False, ""


def _resource_grant(question: Question, policy: Policy | None) -> tuple[Grant, str]:
    """The strongest grant of the resource's policy, and which statement makes it."""
    best, reason = Grant.NONE, ""
    for number, statement in enumerate(policy.statements if policy is not None else ()):
        if policy is None or not statement.allows or not _applies(statement, question, policy):
            continue
        grant = granted(statement, question.caller, question.account)
        if grant > best:
            best = grant
            reason = f"allowed by {_called(policy, 'resource-based policy')}, {_labelled(statement, number)}"
    return best, reason


def _applies(statement: Statement, question: Question, policy: Policy) -> bool:
    """Whether action, resource and conditions fit. Whom it is about is not looked at."""
    variables = question.context if policy.variables else None
    return (
        _action_fits(statement, question.action)
        and _resource_fits(statement, question.resource, variables)
        and all(holds(condition, question.context, variables) for condition in statement.conditions)
    )


def _action_fits(statement: Statement, action: str) -> bool:
    if statement.not_actions is not None:
        return not any(action_like(each, action) for each in statement.not_actions)
    return any(action_like(each, action) for each in statement.actions or ())


def _resource_fits(statement: Statement, resource: str | None, variables: Context | None) -> bool:
    if resource is None:
        return statement.allows or statement.resources is None or "*" in statement.resources
    if statement.not_resources is not None:
        return not any(like(each, resource, variables) for each in statement.not_resources)
    if statement.resources is None:  # a trust policy: it is about the role it belongs to
        return True
    return any(like(each, resource, variables) for each in statement.resources)


def missing(question: Question, kind: str) -> Decision:
    """No, because no policy of that kind ("resource-based policy") allows it."""
    return Decision(
        False,
        f"no {kind} allows {shown(question.caller, question.account)} {question.action}"
        + (f" on {question.resource}" if question.resource else ""),
        _message(question, f"because no {kind} allows the {question.action} action"),
    )


def _message(question: Question, because: str) -> str:
    """Source: IAM user guide, "Troubleshoot access denied error messages"."""
    on = f" on resource: {question.resource}" if question.resource else ""
    who = shown(question.caller, question.account)
    return f"User: {who} is not authorized to perform: {question.action}{on} {because}"


def _called(policy: Policy, kind: str) -> str:
    return f"the {kind} {policy.name}".rstrip()


def _labelled(statement: Statement, number: int) -> str:
    return f"statement {statement.sid or number + 1}"


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
