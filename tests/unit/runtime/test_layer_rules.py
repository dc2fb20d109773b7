"""Which layers a function may use."""

from __future__ import annotations

import pytest

from runtime.api.errors import ApiError
from runtime.control import layer_rules
from runtime.control.layer_rules import LayerReference
from runtime.names import Scope

SCOPE = Scope("123456789012", "us-east-1")


def arn(name: str, number: int | None = 1) -> str:
    return layer_rules.layer_arn(SCOPE, name, number)


def test_a_layer_is_named_by_name_or_by_arn() -> None:
    assert layer_rules.parse("base", SCOPE) == LayerReference("base")
    assert layer_rules.parse(arn("base", None), SCOPE) == LayerReference("base")
    assert layer_rules.parse(arn("base", 7), SCOPE) == LayerReference("base", 7)


def test_a_layer_of_another_account_is_not_on_this_machine() -> None:
    with pytest.raises(ApiError) as error:
        layer_rules.parse("arn:aws:lambda:us-east-1:111122223333:layer:base:1", SCOPE)
    assert error.value.code == "AccessDeniedException"


def test_layers_keep_their_order() -> None:
    listed = layer_rules.check_list([arn("b"), arn("a", 3)], SCOPE)
    assert listed == [LayerReference("b", 1), LayerReference("a", 3)]


@pytest.mark.parametrize(
    ("arns", "words"),
    [
        ([arn(f"l{number}") for number in range(6)], "Cannot reference more than 5 layers"),
        ([arn("a", 1), arn("a", 2)], "Two different versions of the same layer"),
        ([arn("a", None)], "Member must be the ARN of a layer version"),
        (["a"], "Member must be the ARN of a layer version"),
    ],
)
def test_a_list_of_layers_that_lambda_refuses(arns: list[str], words: str) -> None:
    with pytest.raises(ApiError) as error:
        layer_rules.check_list(arns, SCOPE)
    assert words in error.value.message


def test_code_and_layers_fit_into_250_mb_together() -> None:
    layer_rules.check_size(200_000_000, [62_144_000])
    with pytest.raises(ApiError, match="The actual size is 262144001 bytes"):
        layer_rules.check_size(200_000_000, [62_144_000, 1])
