"""Invoke, asked through plain boto3."""

from __future__ import annotations

import base64
import json

import pytest
from botocore.exceptions import ClientError

from tests.contract.lambda_api.conftest import Target

FAILS = "def handler(event, context):\n    print('before')\n    raise ValueError('boom')\n"


def test_a_function_answers_with_its_result(target: Target) -> None:
    name = target.new_function()
    answer = target.api.invoke(FunctionName=name, Payload=b'{"a": 1}')
    assert answer["StatusCode"] == 200
    assert "FunctionError" not in answer
    assert json.loads(answer["Payload"].read()) == {"a": 1}


def test_a_dry_run_answers_204(target: Target) -> None:
    name = target.new_function()
    assert target.api.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204


@pytest.mark.moto_differs("an event is answered with a body")
def test_an_event_is_accepted_with_202_and_no_body(target: Target) -> None:
    name = target.new_function()
    answer = target.api.invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
    assert answer["StatusCode"] == 202
    assert answer["Payload"].read() == b""


@pytest.mark.moto_differs("an absent alias is invoked all the same")
def test_invoking_an_absent_function_or_alias_is_not_found(target: Target) -> None:
    name = target.new_function()
    for absent in ("absent", f"{name}:absent"):
        with pytest.raises(ClientError) as error:
            target.api.invoke(FunctionName=absent)
        assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"


@pytest.mark.moto_differs("runs nothing, so a raising function answers its event")
def test_a_raised_exception_is_the_answer_s_body_with_status_200(target: Target) -> None:
    name = target.new_function(FAILS)
    answer = target.api.invoke(FunctionName=name, Payload=b"{}", LogType="Tail")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    body = json.loads(answer["Payload"].read())
    assert (body["errorMessage"], body["errorType"]) == ("boom", "ValueError")
    assert body["requestId"] == answer["ResponseMetadata"]["RequestId"]
    assert 'app.py", line 3, in handler' in body["stackTrace"][0]
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert tail.startswith(f"START RequestId: {body['requestId']} Version: $LATEST\nbefore\n")
    assert "[ERROR] ValueError: boom" in tail
    assert f"END RequestId: {body['requestId']}\nREPORT RequestId: {body['requestId']}\tDuration: " in tail


@pytest.mark.moto_differs("the executed version is not shown for aliases")
def test_the_executed_version_is_shown_for_every_way_to_ask(target: Target) -> None:
    name = target.two_versions()
    target.api.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    asked = {"": "$LATEST", ":$LATEST": "$LATEST", ":2": "2", ":live": "1"}
    for suffix, version in asked.items():
        assert target.api.invoke(FunctionName=f"{name}{suffix}", Payload=b"{}")["ExecutedVersion"] == version
    assert target.api.invoke(FunctionName=name, Qualifier="live", Payload=b"{}")["ExecutedVersion"] == "1"


@pytest.mark.moto_differs("two qualifiers that disagree are accepted")
def test_two_qualifiers_that_disagree_are_refused(target: Target) -> None:
    name = target.two_versions()
    with pytest.raises(ClientError) as error:
        target.api.invoke(FunctionName=f"{name}:1", Qualifier="2", Payload=b"{}")
    assert error.value.response["Error"]["Code"] == "InvalidParameterValueException"


@pytest.mark.moto_differs("a payload that is no JSON is accepted")
def test_a_payload_that_is_no_json_is_refused(target: Target) -> None:
    name = target.new_function()
    with pytest.raises(ClientError) as error:
        target.api.invoke(FunctionName=name, Payload=b"{")
    assert error.value.response["Error"]["Code"] == "InvalidRequestContentException"


@pytest.mark.moto_differs("there is no payload limit")
def test_a_payload_above_six_megabytes_is_refused(target: Target) -> None:
    name = target.new_function()
    payload = json.dumps("x" * 6_291_456).encode()
    with pytest.raises(ClientError) as error:
        target.api.invoke(FunctionName=name, Payload=payload)
    answer = error.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("RequestTooLargeException", 413)


@pytest.mark.moto_differs("weights have no effect")
def test_a_weighted_alias_runs_both_versions(target: Target) -> None:
    name = target.two_versions()
    routing = {"AdditionalVersionWeights": {"2": 0.5}}
    target.api.create_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig=routing)
    ran = {target.api.invoke(FunctionName=f"{name}:live", Payload=b"{}").get("ExecutedVersion") for _ in range(60)}
    assert ran == {"1", "2"}
