"""The evaluator against a small reference model: sets instead of patterns, the guide's flow chart instead of code."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.policy.callers import Account, Anonymous, Caller, Role, Service, User
from runtime.policy.documents import Policy, Principals, Statement
from runtime.policy.evaluate import Policies, Question, decide
from runtime.policy.patterns import arn_like, like

HOME, OTHER = "111122223333", "444455556666"
ROLE = Role(f"arn:aws:iam::{HOME}:role/worker", "s")
STRANGER = Role(f"arn:aws:iam::{OTHER}:role/worker", "s")
USER = User(f"arn:aws:iam::{HOME}:user/bob")
SERVICE = Service("sns.amazonaws.com")
CALLERS: tuple[Caller, ...] = (ROLE, STRANGER, USER, SERVICE, Account(OTHER), Anonymous())
ACTIONS, RESOURCES = ("lambda:Invoke", "lambda:Get", "s3:Get"), ("f", "f:live", "g")
NAMES = (ROLE.arn, ROLE.session_arn, STRANGER.arn, USER.arn, HOME, OTHER, "sns.amazonaws.com", "*")


@dataclass(frozen=True)
class Rule:
    """A statement of the model: everything it is about, listed."""

    allows: bool
    actions: frozenset[str]
    resources: frozenset[str]
    names: frozenset[str]

    def written(self) -> Statement:
        aws = tuple(name for name in self.names if name not in {"*", "sns.amazonaws.com"})
        services = tuple(name for name in self.names if name == "sns.amazonaws.com")
        return Statement(
            self.allows, "", Principals("*" in self.names, aws, services), None,
            tuple(self.actions), None, tuple(self.resources), None,
        )  # fmt: skip


rules = st.builds(
    Rule,
    allows=st.sampled_from([True, True, False]),
    actions=st.frozensets(st.sampled_from(ACTIONS), min_size=1),
    resources=st.frozensets(st.sampled_from(RESOURCES), min_size=1),
    names=st.frozensets(st.sampled_from(NAMES), min_size=1),
)
policies = st.lists(rules, max_size=3)
some = st.none() | policies


def closeness(rule: Rule, caller: Caller) -> int:
    """0 not meant, 1 by account, 2 itself, 3 its session."""
    if isinstance(caller, Service):
        return 2 if rule.names & {"*", caller.principal} else 0
    if isinstance(caller, Role) and caller.session_arn in rule.names:
        return 3
    if "*" in rule.names:
        return 2
    if isinstance(caller, Anonymous):
        return 0
    if isinstance(caller, Account):
        return 2 if caller.id in rule.names else 0
    assert isinstance(caller, Role | User)
    if caller.arn in rule.names:
        return 2
    return 1 if caller.arn.split(":")[4] in rule.names else 0


def modelled(
    caller: Caller,
    action: str,
    resource: str,
    identity: list[Rule] | None,
    attached: list[Rule] | None,
    boundary: list[Rule] | None,
    session: list[Rule] | None,
) -> bool:
    def about(several: list[Rule] | None, *, allows: bool) -> list[Rule]:
        return [r for r in several or [] if r.allows is allows and action in r.actions and resource in r.resources]

    own = [about(each, allows=False) for each in (identity, boundary, session)]
    if any(own) or any(closeness(rule, caller) for rule in about(attached, allows=False)):
        return False
    by_resource = max((closeness(rule, caller) for rule in about(attached, allows=True)), default=0)
    if not isinstance(caller, Role | User):
        return by_resource > 0
    by_identity = identity is None or bool(about(identity, allows=True))
    within = all(limit is None or about(limit, allows=True) for limit in (boundary, session))
    if caller.arn.split(":")[4] != HOME:
        return by_resource > 0 and by_identity and within
    if by_resource == 3 or (by_resource == 2 and isinstance(caller, User)):
        return True
    return (by_identity or by_resource == 2) and within


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(CALLERS), st.sampled_from(ACTIONS), st.sampled_from(RESOURCES), some, some, some, some)
def test_decisions_are_those_of_the_model(
    caller: Caller,
    action: str,
    resource: str,
    identity: list[Rule] | None,
    attached: list[Rule] | None,
    boundary: list[Rule] | None,
    session: list[Rule] | None,
) -> None:
    def policy(several: list[Rule] | None) -> Policy | None:
        return None if several is None else Policy(tuple(rule.written() for rule in several))

    own = policy(identity)
    given_ = Policies(None if own is None else (own,), policy(attached), policy(boundary), policy(session))

    decision = decide(Question(caller, action, resource, HOME), given_)

    assert decision.allowed is modelled(caller, action, resource, identity, attached, boundary, session)
    assert decision.reason
    assert decision.allowed or decision.message.startswith("User: ")


letters = st.text(st.sampled_from("ab:/*?"), max_size=8)


@settings(max_examples=500, deadline=None)
@given(letters, st.text(st.sampled_from("ab:/"), max_size=8))
def test_wildcards_are_those_of_the_shell(pattern: str, text: str) -> None:
    assert like(pattern, text) is fnmatch.fnmatchcase(text, pattern)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(letters.map(lambda t: t.replace(":", "")), min_size=6, max_size=6),
    st.lists(st.text("ab", max_size=3), min_size=6, max_size=6),
)
def test_an_arn_matches_part_by_part(pattern: list[str], parts: list[str]) -> None:
    expected = all(fnmatch.fnmatchcase(part, each) for each, part in zip(pattern, parts, strict=True))

    assert arn_like(":".join(pattern), ":".join(parts)) is expected
