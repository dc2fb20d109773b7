"""What permission each operation of the Lambda API needs, on what."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.names import Scope
from runtime.policy.lambda_actions import need
from runtime.policy.role_needs import role_needs

HOME = "123456789012"
SCOPE = Scope(HOME, "us-east-1")
FUNCTION = f"arn:aws:lambda:us-east-1:{HOME}:function:orders"
LAYER = f"arn:aws:lambda:us-east-1:{HOME}:layer:tools"
MAPPING = f"arn:aws:lambda:us-east-1:{HOME}:event-source-mapping:abc"
QUEUE, TOPIC = f"arn:aws:sqs:us-east-1:{HOME}:work", f"arn:aws:sns:us-east-1:{HOME}:news"
NAME = {"FunctionName": "orders"}
LIVE = {"FunctionName": "orders", "Qualifier": "live"}


@pytest.mark.parametrize(
    ("operation", "parameters", "action", "resource"),
    [
        ("Invoke", NAME, "lambda:InvokeFunction", FUNCTION),
        ("Invoke", LIVE, "lambda:InvokeFunction", f"{FUNCTION}:live"),
        ("Invoke", {"FunctionName": f"{FUNCTION}:3"}, "lambda:InvokeFunction", f"{FUNCTION}:3"),
        ("InvokeWithResponseStream", LIVE, "lambda:InvokeFunction", f"{FUNCTION}:live"),
        ("CreateFunction", NAME, "lambda:CreateFunction", FUNCTION),
        ("GetFunction", LIVE, "lambda:GetFunction", f"{FUNCTION}:live"),
        ("UpdateFunctionCode", NAME, "lambda:UpdateFunctionCode", FUNCTION),
        ("UpdateAlias", {**NAME, "Name": "live"}, "lambda:UpdateAlias", FUNCTION),
        ("PutFunctionEventInvokeConfig", LIVE, "lambda:PutFunctionEventInvokeConfig", FUNCTION),
        ("AddPermission", LIVE, "lambda:AddPermission", f"{FUNCTION}:live"),
        ("ListFunctions", {}, "lambda:ListFunctions", "*"),
        ("GetAccountSettings", {}, "lambda:GetAccountSettings", "*"),
        ("ListTags", {"Resource": FUNCTION}, "lambda:ListTags", FUNCTION),
        ("PublishLayerVersion", {"LayerName": "tools"}, "lambda:PublishLayerVersion", LAYER),
        ("GetLayerVersion", {"LayerName": "tools", "VersionNumber": 2}, "lambda:GetLayerVersion", f"{LAYER}:2"),
        ("GetLayerVersionByArn", {"Arn": f"{LAYER}:2"}, "lambda:GetLayerVersion", f"{LAYER}:2"),
        ("CreateEventSourceMapping", NAME, "lambda:CreateEventSourceMapping", "*"),
        ("GetEventSourceMapping", {"UUID": "abc"}, "lambda:GetEventSourceMapping", MAPPING),
    ],
)
def test_an_operation_needs(operation: str, parameters: dict[str, Any], action: str, resource: str) -> None:
    found = need(operation, parameters, SCOPE)

    assert (found.action, found.resource) == (action, resource)


def test_a_mapping_is_told_by_its_function() -> None:
    assert need("CreateEventSourceMapping", NAME, SCOPE).context == {"lambda:FunctionArn": FUNCTION}


@pytest.mark.parametrize(
    ("operation", "parameters", "actions"),
    [
        (
            "CreateEventSourceMapping",
            {**NAME, "EventSourceArn": QUEUE},
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
        ),
        (
            "CreateEventSourceMapping",
            {**NAME, "EventSourceArn": f"arn:aws:dynamodb:us-east-1:{HOME}:table/t/stream/1"},
            ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"],
        ),
        ("CreateEventSourceMapping", {**NAME, "EventSourceArn": "arn:aws:kafka:us-east-1:1:cluster/c"}, []),
        ("CreateFunction", {**NAME, "DeadLetterConfig": {"TargetArn": QUEUE}}, ["sqs:SendMessage"]),
        ("UpdateFunctionConfiguration", {**NAME, "DeadLetterConfig": {"TargetArn": TOPIC}}, ["sns:Publish"]),
        ("UpdateFunctionConfiguration", {**NAME, "DeadLetterConfig": {"TargetArn": ""}}, []),
        (
            "PutFunctionEventInvokeConfig",
            {
                **NAME,
                "DestinationConfig": {"OnSuccess": {"Destination": FUNCTION}, "OnFailure": {"Destination": QUEUE}},
            },
            ["lambda:InvokeFunction", "sqs:SendMessage"],
        ),
        ("Invoke", NAME, []),
    ],
)
def test_what_the_execution_role_must_allow(operation: str, parameters: dict[str, Any], actions: list[str]) -> None:
    found = role_needs(operation, parameters)

    assert [each.action for each in found] == actions
    assert all(each.action.partition(":")[2] in each.problem for each in found)
