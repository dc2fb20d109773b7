"""The rules of composite alarms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.alarms.records import State
from runtime.alarms.rules import RuleError, children, holds, parse

STATES = {"cpu": State.ALARM, "disk": State.OK, "net work": State.INSUFFICIENT_DATA}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ALARM(cpu)", True),
        ('ALARM("cpu")', True),
        ("ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:cpu)", True),
        ("OK(cpu)", False),
        ('INSUFFICIENT_DATA("net work")', True),
        ("ALARM(absent) OR OK(absent)", False),
        ("ALARM(cpu) AND NOT OK(disk)", False),
        ("ALARM(cpu) AND NOT ALARM(disk)", True),
        ("TRUE OR TRUE AND FALSE", True),
        ("(TRUE OR TRUE) AND FALSE", False),
        ("NOT FALSE AND TRUE", True),
        ("NOT (FALSE OR TRUE)", False),
        ("(ALARM(cpu) OR ALARM(disk)) AND OK(disk)", True),
        ("not not true", True),
    ],
)
def test_rules_hold_or_do_not(text: str, expected: bool) -> None:
    assert holds(parse(text), STATES.get) is expected


def test_children_are_the_alarms_that_are_named() -> None:
    assert children(parse('ALARM(a) AND (OK("b c") OR NOT ALARM(a)) OR TRUE')) == {"a", "b c"}


@pytest.mark.parametrize(
    "text",
    ["", "ALARM", "ALARM(", "ALARM()", "ALARM(a", "ALARM(a) ALARM(b)", "ALARM(a) AND", "a", "NOT", "(TRUE", "TRUE)",
     "NOT " * 200 + "TRUE", " OR ".join(f"ALARM(a{n})" for n in range(101))],
)  # fmt: skip
def test_wrong_rules_are_refused(text: str) -> None:
    with pytest.raises(RuleError):
        parse(text)


_LEAVES = st.sampled_from(["TRUE", "FALSE", "ALARM(cpu)", "OK(disk)", "ALARM(disk)"])
_RULES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda text: f"NOT ({text})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
        ),
    ),
    max_leaves=8,
)


@given(_RULES)
def test_a_rule_means_what_python_makes_of_it(text: str) -> None:
    python = text.replace("NOT", "not").replace("TRUE", "True").replace("FALSE", "False")
    for word, state in (("ALARM", State.ALARM), ("OK", State.OK)):
        for name in STATES:
            python = python.replace(f"{word}({name})", str(STATES[name] is state))
    assert holds(parse(text), STATES.get) is eval(python)
