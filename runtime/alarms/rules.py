"""The rules of composite alarms: `ALARM(a) AND NOT (OK("b c") OR FALSE)`. Pure. Source: CloudWatch, AlarmRule."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from runtime.alarms.records import State

_TOKEN = re.compile(r"\s*(?:(?P<mark>[()])|(?P<quoted>\"[^\"]*\"|'[^']*')|(?P<word>[^\s()\"']+))")
_FUNCTIONS = {state.value: state for state in State}
_MOST_CHILDREN = 100
_DEEPEST = 100


class RuleError(Exception):
    """The rule cannot be read."""


@dataclass(frozen=True, slots=True)
class In:
    """Whether the named alarm is in a state. `alarm` is a name; an ARN was cut to it."""

    state: State
    alarm: str


@dataclass(frozen=True, slots=True)
class Constant:
    """TRUE or FALSE."""

    value: bool


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    of: Rule


@dataclass(frozen=True, slots=True)
class Both:
    """AND."""

    left: Rule
    right: Rule


@dataclass(frozen=True, slots=True)
class Either:
    """OR."""

    left: Rule
    right: Rule


Rule = In | Constant | Not | Both | Either


def parse(text: str) -> Rule:
    """The rule in `text`; AND binds tighter than OR.

    Raises:
        RuleError: it cannot be read.
    """
    reader = _Reader(text)
    rule = reader.either()
    if reader.ahead:
        raise RuleError(f"'{reader.ahead}' is not expected there")
    if len(children(rule)) > _MOST_CHILDREN:
        raise RuleError(f"a rule may name at most {_MOST_CHILDREN} alarms")
    return rule


def children(rule: Rule) -> set[str]:
    """The names of the alarms a rule looks at."""
    match rule:
        case In(alarm=alarm):
            return {alarm}
        case Constant():
            return set()
        case Not(of=inner):
            return children(inner)
        case Both(left=left, right=right) | Either(left=left, right=right):
            return children(left) | children(right)


def holds(rule: Rule, state: Callable[[str], State | None]) -> bool:
    """Whether the rule is true; `state` tells an alarm's, None when there is none of that name."""
    match rule:
        case In(state=wanted, alarm=alarm):
            return state(alarm) is wanted
        case Constant(value=value):
            return value
        case Not(of=inner):
            return not holds(inner, state)
        case Both(left=left, right=right):
            return holds(left, state) and holds(right, state)
        case Either(left=left, right=right):
            return holds(left, state) or holds(right, state)


class _Reader:
    """Reads tokens from the front."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        at, text = 0, text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise RuleError(f"'{text[at:].strip()[:20]}' is not understood")
            self._tokens.append(match[str(match.lastgroup)])
            at = match.end()
        self._at = 0
        self._depth = 0

    @property
    def ahead(self) -> str:
        """The next token; empty at the end."""
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        if not self.ahead:
            raise RuleError("it ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, mark: str) -> None:
        found = self._next()
        if found != mark:
            raise RuleError(f"'{mark}' is expected where '{found}' is")

    def either(self) -> Rule:
        """Parts joined by OR."""
        left = self._both()
        while self.ahead.upper() == "OR":
            self._next()
            left = Either(left, self._both())
        return left

    def _both(self) -> Rule:
        left = self._one()
        while self.ahead.upper() == "AND":
            self._next()
            left = Both(left, self._one())
        return left

    def _one(self) -> Rule:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise RuleError("it is nested too deeply")
        rule = self._part()
        self._depth -= 1
        return rule

    def _part(self) -> Rule:
        found = self._next()
        word = found.upper()
        if word == "NOT":
            return Not(self._one())
        if found == "(":
            inner = self.either()
            self._expect(")")
            return inner
        if word in {"TRUE", "FALSE"}:
            return Constant(word == "TRUE")
        if word not in _FUNCTIONS:
            raise RuleError(f"'{found}' is none of ALARM, OK, INSUFFICIENT_DATA, NOT, TRUE and FALSE")
        self._expect("(")
        name = self._next().strip("\"'")
        if name in {"", "(", ")"}:
            raise RuleError(f"{word} needs the name of an alarm")
        self._expect(")")
        return In(_FUNCTIONS[word], name.rpartition(":alarm:")[2])
