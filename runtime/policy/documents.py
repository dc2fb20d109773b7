"""Policy documents: JSON text into statements, or what is wrong with it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from runtime.policy.conditions import Condition, read_conditions
from runtime.policy.mistakes import BadPolicy
from runtime.reading import json_of

_KEYS = frozenset(
    {
        "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
    }
)  # fmt: skip
_PRINCIPALS = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})
MODERN = "2012-10-17"
"""The version from which on policy variables are variables."""


@dataclass(frozen=True, slots=True)
class Principals:
    """Whom a Principal element names. `everyone` is `"*"` or `{"AWS": "*"}`."""

    everyone: bool = False
    aws: tuple[str, ...] = ()
    """Account ids and ARNs."""
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. Of each pair (`actions`, `not_actions`) at most one is there; None means it was not written."""

    allows: bool
    sid: str = ""
    principals: Principals | None = None
    not_principals: Principals | None = None
    actions: tuple[str, ...] | None = None
    not_actions: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    not_resources: tuple[str, ...] | None = None
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document; `name` is how reasons call it."""

    statements: tuple[Statement, ...] = ()
    name: str = ""
    variables: bool = True
    """Whether `${…}` is a variable in it."""

    @property
    def denies(self) -> bool:
        """Whether any statement could deny."""
        return any(not statement.allows for statement in self.statements)


@lru_cache(maxsize=1024)
def read_policy(text: str, name: str = "") -> Policy:
    """The policy that `text` (JSON) is.

    Raises:
        BadPolicy: not JSON, or not a policy.
    """
    try:
        document = json_of(text)
    except ValueError as error:
        raise BadPolicy(f"not JSON: {error}") from None
    if not isinstance(document, Mapping):
        raise BadPolicy("not an object")
    statements = document.get("Statement", [])
    statements = [statements] if isinstance(statements, Mapping) else statements
    if not isinstance(statements, list):
        raise BadPolicy("Statement is neither an object nor a list")
    return policy_of(statements, name, variables=document.get("Version") == MODERN)


def policy_of(statements: Sequence[Any], name: str = "", *, variables: bool = True) -> Policy:
    """The policy of these statements, as written in its document.

    Raises:
        BadPolicy: one of them is no statement.
    """
    return Policy(tuple(_statement(each) for each in statements), name, variables)


def _statement(written: Any) -> Statement:
    if not isinstance(written, Mapping):
        raise BadPolicy("a statement is not an object")
    unknown = written.keys() - _KEYS
    if unknown:
        raise BadPolicy(f"a statement has unknown elements: {', '.join(sorted(unknown))}")
    effect = written.get("Effect")
    if effect not in {"Allow", "Deny"}:
        raise BadPolicy(f"Effect is Allow or Deny, not {effect!r}")
    for name in ("Principal", "Action", "Resource"):
        if name in written and f"Not{name}" in written:
            raise BadPolicy(f"{name} and Not{name} exclude each other")
    if "Action" not in written and "NotAction" not in written:
        raise BadPolicy("a statement names no Action")
    return Statement(
        allows=effect == "Allow",
        sid=str(written.get("Sid", "")),
        principals=_principals(written.get("Principal")),
        not_principals=_principals(written.get("NotPrincipal")),
        actions=_strings(written, "Action"),
        not_actions=_strings(written, "NotAction"),
        resources=_strings(written, "Resource"),
        not_resources=_strings(written, "NotResource"),
        conditions=read_conditions(written.get("Condition", {})),
    )


def _strings(written: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    return _listed(written[name], name) if name in written else None


def _listed(value: Any, name: str) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
        raise BadPolicy(f"{name} is neither a text nor a list of texts")
    return tuple(values)


def _principals(written: Any) -> Principals | None:
    if written is None:
        return None
    if written == "*":
        return Principals(everyone=True)
    if not isinstance(written, Mapping) or not written.keys() <= _PRINCIPALS:
        raise BadPolicy('a Principal is "*" or an object of ' + ", ".join(sorted(_PRINCIPALS)))
    listed = {kind: _listed(value, f"Principal.{kind}") for kind, value in written.items()}
    named = listed.get("AWS", ())
    return Principals("*" in named, named, listed.get("Service", ()))
