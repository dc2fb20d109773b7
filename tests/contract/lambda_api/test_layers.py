"""Layers, asked through plain boto3, and what a function sees of them."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import urllib.request
import zipfile
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.lambda_api.conftest import Target
from tests.contract.lambda_api.refusals import refused

_names = count(1)


def layer_zip(**files: str) -> bytes:
    """A zip; `__` in a name is a slash."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name.replace("__", "/") + ".py"), text)
    return buffer.getvalue()


def publish(target: Target, name: str = "", **files: str) -> dict[str, Any]:
    """A new version of a layer."""
    name = name or f"layer-{next(_names)}"
    files = files or {"python__shared": f"NAME = '{name}'\n"}
    answer: dict[str, Any] = target.api.publish_layer_version(
        LayerName=name, Content={"ZipFile": layer_zip(**files)}, Description="d", CompatibleRuntimes=["python3.11"]
    )
    return answer


def test_a_published_version_is_shown(target: Target) -> None:
    content = layer_zip(python__shared="X = 1\n")
    shown = publish(target, "shown", python__shared="X = 1\n")
    arn = "arn:aws:lambda:us-east-1:123456789012:layer:shown"
    assert (shown["LayerArn"], shown["LayerVersionArn"], shown["Version"]) == (arn, f"{arn}:1", 1)
    assert shown["Content"]["CodeSha256"] == base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert shown["Content"]["CodeSize"] == len(content)
    assert (shown["Description"], shown["CompatibleRuntimes"]) == ("d", ["python3.11"])
    assert target.api.get_layer_version(LayerName="shown", VersionNumber=1)["LayerVersionArn"] == f"{arn}:1"


@pytest.mark.moto_differs("GetLayerVersionByArn is answered with 500")
def test_a_version_is_found_by_its_arn_and_its_content_can_be_fetched(target: Target) -> None:
    shown = publish(target)
    found = target.api.get_layer_version_by_arn(Arn=shown["LayerVersionArn"])
    assert found["Version"] == 1
    with urllib.request.urlopen(found["Content"]["Location"], timeout=5) as answer:
        assert hashlib.sha256(answer.read()).digest() == base64.b64decode(found["Content"]["CodeSha256"])


def test_versions_are_listed_from_the_newest_on_and_never_numbered_twice(target: Target) -> None:
    name = f"layer-{next(_names)}"
    for _ in range(3):
        publish(target, name)
    target.api.delete_layer_version(LayerName=name, VersionNumber=3)
    publish(target, name)
    listed = target.api.list_layer_versions(LayerName=name)["LayerVersions"]
    assert [each["Version"] for each in listed] == [4, 2, 1]


def test_layers_are_listed_with_their_newest_version(target: Target) -> None:
    name = f"layer-{next(_names)}"
    publish(target, name)
    publish(target, name)
    listed = {each["LayerName"]: each for each in target.api.list_layers()["Layers"]}
    assert listed[name]["LatestMatchingVersion"]["Version"] == 2


def test_layers_are_found_by_the_runtime_they_are_made_for(runtime: Target) -> None:
    name = publish(runtime)["LayerArn"].rpartition(":")[2]

    def listed(wanted: str) -> list[str]:
        return [each["LayerName"] for each in runtime.api.list_layers(CompatibleRuntime=wanted)["Layers"]]

    assert name in listed("python3.11")
    assert name not in listed("nodejs22.x")


@pytest.mark.moto_differs("a deletion is answered with 200")
def test_deleting_a_version_twice_is_no_error(target: Target) -> None:
    name = publish(target)["LayerArn"].rpartition(":")[2]
    for _ in range(2):
        answer = target.api.delete_layer_version(LayerName=name, VersionNumber=1)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    with pytest.raises(ClientError) as error:
        target.api.get_layer_version(LayerName=name, VersionNumber=1)
    assert refused(error) == ("ResourceNotFoundException", 404)


def test_a_function_shows_its_layers_in_order(target: Target) -> None:
    arns = [publish(target)["LayerVersionArn"] for _ in range(2)]
    name = target.new_function(Layers=list(reversed(arns)))
    shown = target.api.get_function_configuration(FunctionName=name)["Layers"]
    assert [each["Arn"] for each in shown] == list(reversed(arns))
    assert all(each["CodeSize"] > 0 for each in shown)


@pytest.mark.moto_differs("six layers are accepted")
def test_a_function_has_five_layers_at_most(target: Target) -> None:
    arns = [publish(target)["LayerVersionArn"] for _ in range(6)]
    target.new_function(Layers=arns[:5])
    with pytest.raises(ClientError) as error:
        target.new_function(Layers=arns)
    assert refused(error) == ("InvalidParameterValueException", 400)
    assert "Cannot reference more than 5 layers" in error.value.response["Error"]["Message"]


@pytest.mark.moto_differs("an absent layer is not found (404) instead of invalid")
def test_an_absent_layer_is_refused(target: Target) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:layer:absent:1"
    with pytest.raises(ClientError) as error:
        target.new_function(Layers=[arn])
    assert refused(error) == ("InvalidParameterValueException", 400)


@pytest.mark.moto_differs("two versions of one layer are accepted")
def test_two_versions_of_one_layer_exclude_each_other(target: Target) -> None:
    name = f"layer-{next(_names)}"
    arns = [publish(target, name)["LayerVersionArn"] for _ in range(2)]
    with pytest.raises(ClientError) as error:
        target.new_function(Layers=arns)
    assert refused(error) == ("InvalidParameterValueException", 400)


USES = """import json
def handler(event, context):
    import shared
    import only
    return [shared.NAME, only.NAME]
"""


def invoke(target: Target, name: str, **more: str) -> Any:
    """The function's result."""
    return json.loads(target.api.invoke(FunctionName=name, Payload=b"{}", **more)["Payload"].read())


def test_later_layers_lie_over_earlier_ones_and_a_deleted_one_goes_on_working(runtime: Target) -> None:
    first = publish(runtime, python__shared="NAME = 'first'\n", python__only="NAME = 'first'\n")
    second = publish(runtime, python__shared="NAME = 'second'\n")
    name = runtime.new_function(USES, Layers=[first["LayerVersionArn"], second["LayerVersionArn"]])
    assert invoke(runtime, name) == ["second", "first"]
    runtime.api.delete_layer_version(LayerName=first["LayerArn"], VersionNumber=1)
    runtime.api.update_function_configuration(FunctionName=name, Timeout=5)
    runtime.settled(name)
    assert invoke(runtime, name) == ["second", "first"]
    with pytest.raises(ClientError) as error:
        runtime.new_function(Layers=[first["LayerVersionArn"]])
    assert refused(error) == ("InvalidParameterValueException", 400)


def test_other_layers_make_another_version_and_the_old_one_keeps_its_own(runtime: Target) -> None:
    first = publish(runtime, python__shared="NAME = 1\n", python__only="NAME = 1\n")
    second = publish(runtime, python__shared="NAME = 2\n", python__only="NAME = 2\n")
    name = runtime.new_function(USES, Layers=[first["LayerVersionArn"]], Publish=True)
    runtime.api.update_function_configuration(FunctionName=name, Layers=[second["LayerVersionArn"]])
    runtime.settled(name)
    assert runtime.api.publish_version(FunctionName=name)["Version"] == "2"
    assert invoke(runtime, name, Qualifier="1") == [1, 1]
    assert invoke(runtime, name, Qualifier="2") == [2, 2]
    runtime.api.update_function_configuration(FunctionName=name, Layers=[])
    runtime.settled(name)
    assert "Layers" not in runtime.api.get_function_configuration(FunctionName=name)


@pytest.mark.moto_differs("layer versions have no policies")
def test_a_version_s_policy_is_added_to_shown_and_emptied(target: Target) -> None:
    name = publish(target)["LayerArn"].rpartition(":")[2]
    at = {"LayerName": name, "VersionNumber": 1}
    with pytest.raises(ClientError) as error:
        target.api.get_layer_version_policy(**at)
    assert refused(error) == ("ResourceNotFoundException", 404)
    grant = {"StatementId": "all", "Action": "lambda:GetLayerVersion", "Principal": "*"}
    added = target.api.add_layer_version_permission(**at, **grant)
    shown = target.api.get_layer_version_policy(**at)
    assert json.loads(shown["Policy"])["Statement"] == [json.loads(added["Statement"])]
    assert shown["RevisionId"] == added["RevisionId"]
    with pytest.raises(ClientError) as error:
        target.api.add_layer_version_permission(**at, **grant)
    assert refused(error) == ("ResourceConflictException", 409)
    target.api.remove_layer_version_permission(**at, StatementId="all")
    with pytest.raises(ClientError) as error:
        target.api.get_layer_version_policy(**at)
    assert refused(error) == ("ResourceNotFoundException", 404)
