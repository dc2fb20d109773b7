"""Policy documents that cannot be read are not taken for anything."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runtime.policy.documents import read_policy
from runtime.policy.mistakes import BadPolicy

GOOD = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.mark.parametrize(
    "document",
    [
        "no json",
        "[]",
        '"text"',
        '{"Statement": 3}',
        '{"Statement": ["text"]}',
        *(
            json.dumps({"Statement": {**GOOD, **change}})
            for change in (
                {"Effect": "allow"},
                {"Effect": None},
                {"Action": 3},
                {"Action": [3]},
                {"NotAction": "*"},
                {"NotResource": "*"},
                {"Resource": {"a": "b"}},
                {"Principal": "somebody"},
                {"Principal": {"Person": "x"}},
                {"Principal": {"AWS": 3}},
                {"Condition": {"Nonsense": {"a": "b"}}},
                {"Actions": "*"},
            )
        ),
        '{"Statement": {"Effect": "Allow", "Resource": "*"}}',
    ],
)
def test_a_document_that_is_no_policy_is_refused(document: str) -> None:
    with pytest.raises(BadPolicy):
        read_policy(document)


@pytest.mark.parametrize("statement", [GOOD, [GOOD], []])
def test_one_statement_or_several(statement: Any) -> None:
    policy = read_policy(json.dumps({"Version": "2012-10-17", "Id": "x", "Statement": statement}))

    assert len(policy.statements) == (1 if statement else 0)


def test_the_older_version_has_no_variables() -> None:
    assert read_policy(json.dumps({"Version": "2012-10-17", "Statement": GOOD})).variables
    assert not read_policy(json.dumps({"Version": "2008-10-17", "Statement": GOOD})).variables
    assert not read_policy(json.dumps({"Statement": GOOD})).variables
