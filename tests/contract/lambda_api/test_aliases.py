"""Aliases and their routing rules, asked through plain boto3."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.contract.lambda_api.conftest import Target

HALF = {"AdditionalVersionWeights": {"2": 0.5}}


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    """The error's code."""
    return str(error.value.response["Error"]["Code"])


def test_an_alias_is_shown_as_it_was_created(target: Target) -> None:
    name = target.two_versions()
    made = target.api.create_alias(
        FunctionName=name, Name="live", FunctionVersion="1", Description="d", RoutingConfig=HALF
    )
    shown = target.api.get_alias(FunctionName=name, Name="live")
    assert shown["AliasArn"].endswith(f":function:{name}:live")
    assert (shown["Name"], shown["FunctionVersion"], shown["Description"]) == ("live", "1", "d")
    assert shown["RoutingConfig"] == HALF
    assert shown["RevisionId"] == made["RevisionId"]


@pytest.mark.moto_differs("the code is ConflictException")
def test_creating_an_alias_twice_is_a_conflict(target: Target) -> None:
    name = target.two_versions()
    target.api.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    with pytest.raises(ClientError) as error:
        target.api.create_alias(FunctionName=name, Name="live", FunctionVersion="2")
    assert code(error) == "ResourceConflictException"


def test_an_absent_alias_is_not_found(target: Target) -> None:
    name = target.new_function()
    with pytest.raises(ClientError) as error:
        target.api.get_alias(FunctionName=name, Name="absent")
    assert code(error) == "ResourceNotFoundException"


def test_an_update_keeps_what_it_does_not_name(target: Target) -> None:
    name = target.two_versions()
    target.api.create_alias(FunctionName=name, Name="live", FunctionVersion="1", Description="d", RoutingConfig=HALF)
    changed = target.api.update_alias(FunctionName=name, Name="live", Description="e")
    assert (changed["FunctionVersion"], changed["Description"]) == ("1", "e")
    assert changed["RoutingConfig"] == HALF


@pytest.mark.moto_differs("the RevisionId of an alias never changes")
def test_an_update_changes_the_revision(target: Target) -> None:
    name = target.two_versions()
    made = target.api.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    changed = target.api.update_alias(FunctionName=name, Name="live", Description="e")
    assert changed["RevisionId"] != made["RevisionId"]


@pytest.mark.moto_differs("RevisionId is not compared")
def test_an_update_on_an_old_revision_is_refused(target: Target) -> None:
    name = target.two_versions()
    made = target.api.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    target.api.update_alias(FunctionName=name, Name="live", FunctionVersion="2", RevisionId=made["RevisionId"])
    with pytest.raises(ClientError) as error:
        target.api.update_alias(FunctionName=name, Name="live", FunctionVersion="1", RevisionId=made["RevisionId"])
    assert code(error) == "PreconditionFailedException"
    assert target.api.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "2"


def test_an_empty_map_of_weights_ends_the_routing(target: Target) -> None:
    name = target.two_versions()
    target.api.create_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig=HALF)
    target.api.update_alias(FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {}})
    routing = target.api.get_alias(FunctionName=name, Name="live").get("RoutingConfig") or {}
    assert not routing.get("AdditionalVersionWeights")


def test_an_alias_may_point_at_latest(target: Target) -> None:
    name = target.new_function()
    target.api.create_alias(FunctionName=name, Name="dev", FunctionVersion="$LATEST")
    assert target.api.get_function_configuration(FunctionName=name, Qualifier="dev")["Version"] == "$LATEST"


@pytest.mark.moto_differs("routing rules are not checked, but for the number of versions")
@pytest.mark.parametrize(
    ("version", "weights"),
    [
        ("1", {"9": 0.5}),
        ("$LATEST", {"1": 0.5}),
        ("1", {"1": 0.5}),
    ],
)
def test_routing_that_aws_refuses_is_refused(target: Target, version: str, weights: dict[str, float]) -> None:
    name = target.two_versions()
    with pytest.raises(ClientError) as error:
        target.api.create_alias(
            FunctionName=name,
            Name="live",
            FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": weights},
        )
    assert code(error) in {"InvalidParameterValueException", "ResourceNotFoundException"}


def test_an_alias_needs_a_version_that_exists(target: Target) -> None:
    name = target.new_function()
    with pytest.raises(ClientError) as error:
        target.api.create_alias(FunctionName=name, Name="live", FunctionVersion="9")
    assert code(error) == "ResourceNotFoundException"


@pytest.mark.moto_differs("a weight above 1 is accepted")
def test_a_weight_above_one_is_refused(target: Target) -> None:
    name = target.two_versions()
    with pytest.raises(ClientError) as error:
        target.api.create_alias(
            FunctionName=name,
            Name="live",
            FunctionVersion="1",
            RoutingConfig={"AdditionalVersionWeights": {"2": 1.5}},
        )
    assert code(error) in {"InvalidParameterValueException", "ValidationException"}


@pytest.mark.moto_differs("roles of the two versions are not compared")
def test_versions_with_different_roles_cannot_share_an_alias(target: Target) -> None:
    name = target.new_function(Publish=True)
    target.api.update_function_configuration(FunctionName=name, Role="arn:aws:iam::123456789012:role/other")
    target.settled(name)
    target.api.publish_version(FunctionName=name)
    with pytest.raises(ClientError) as error:
        target.api.create_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig=HALF)
    assert code(error) == "InvalidParameterValueException"


@pytest.mark.moto_differs("any name is accepted")
def test_an_alias_is_not_named_like_a_version(target: Target) -> None:
    name = target.two_versions()
    with pytest.raises(ClientError):
        target.api.create_alias(FunctionName=name, Name="12", FunctionVersion="1")


def test_aliases_are_listed_and_deleted(target: Target) -> None:
    name = target.two_versions()
    for alias, version in (("blue", "1"), ("green", "2")):
        target.api.create_alias(FunctionName=name, Name=alias, FunctionVersion=version)
    listed = target.api.list_aliases(FunctionName=name)["Aliases"]
    assert sorted(each["Name"] for each in listed) == ["blue", "green"]
    target.api.delete_alias(FunctionName=name, Name="blue")
    target.api.delete_alias(FunctionName=name, Name="blue")
    assert [each["Name"] for each in target.api.list_aliases(FunctionName=name)["Aliases"]] == ["green"]


@pytest.mark.moto_differs("FunctionVersion does not filter")
def test_aliases_are_listed_by_the_version_they_reach(target: Target) -> None:
    name = target.two_versions()
    target.api.create_alias(FunctionName=name, Name="blue", FunctionVersion="1")
    target.api.create_alias(FunctionName=name, Name="green", FunctionVersion="2")
    listed = target.api.list_aliases(FunctionName=name, FunctionVersion="2")["Aliases"]
    assert [each["Name"] for each in listed] == ["green"]
