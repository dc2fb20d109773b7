"""The forms a function may be named in."""

from __future__ import annotations

import pytest

from runtime.api.errors import ApiError
from runtime.names import Reference, Scope, is_version, parse

SCOPE = Scope("123456789012", "us-east-1")
ARN = "arn:aws:lambda:us-east-1:123456789012:function:orders"


@pytest.mark.parametrize("text", ["orders", "function:orders", "123456789012:function:orders", ARN])
def test_every_form_names_the_function(text: str) -> None:
    assert parse(text, SCOPE) == Reference("orders")
    assert parse(f"{text}:live", SCOPE) == Reference("orders", "live")
    assert parse(f"{text}:$LATEST", SCOPE) == Reference("orders", "$LATEST")
    assert parse(text, SCOPE, "7") == Reference("orders", "7")
    assert parse(f"{text}:7", SCOPE, "7") == Reference("orders", "7")


@pytest.mark.parametrize(
    ("text", "qualifier", "code"),
    [
        ("orders:1", "2", "InvalidParameterValueException"),
        ("or ders", None, "ValidationException"),
        ("a" * 65, None, "ValidationException"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:orders", None, "ResourceNotFoundException"),
        ("999999999999:function:orders", None, "ResourceNotFoundException"),
        ("arn:aws:s3:::bucket", None, "ValidationException"),
    ],
)
def test_what_names_no_function_of_ours_is_refused(text: str, qualifier: str | None, code: str) -> None:
    with pytest.raises(ApiError) as error:
        parse(text, SCOPE, qualifier)
    assert error.value.code == code


def test_arns_end_with_the_qualifier_if_there_is_one() -> None:
    assert SCOPE.arn("orders") == ARN
    assert SCOPE.arn("orders", "live") == f"{ARN}:live"


def test_numbers_and_latest_are_versions_and_names_are_not() -> None:
    assert [is_version(text) for text in ("$LATEST", "12", "live", "v1")] == [True, True, False, False]
