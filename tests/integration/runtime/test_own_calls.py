"""What functions ask of other services lands on the same endpoint; what those do with functions comes back to ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.fakes.runtime_process import RuntimeProcess, until

ACCOUNT = "123456789012"
EVERYTHING = """
import json, os
import boto3

def handler(event, context):
    s3 = boto3.client("s3")
    s3.put_object(Bucket="own-calls", Key="from/handler.json", Body=json.dumps(event))
    name = boto3.client("ssm").get_parameter(Name="/own/name", WithDecryption=True)["Parameter"]["Value"]
    secret = boto3.client("secretsmanager").get_secret_value(SecretId="own")["SecretString"]
    sqs = boto3.client("sqs")
    queue = sqs.get_queue_url(QueueName="own-calls")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=name + secret)
    boto3.client("sns").publish(TopicArn=event["topic"], Message="published")
    boto3.resource("dynamodb").Table("own-calls").put_item(Item={"key": "k", "count": 1})
    boto3.client("events").put_events(Entries=[{"Source": "own", "DetailType": "Called", "Detail": "{}"}])
    return {
        "object": s3.get_object(Bucket="own-calls", Key="from/handler.json")["Body"].read().decode(),
        "account": boto3.client("sts").get_caller_identity()["Account"],
        "other": json.loads(boto3.client("lambda").invoke(FunctionName="other", Payload=b'"x"')["Payload"].read()),
    }
"""


def arn_of(name: str) -> str:
    """A function's ARN."""
    return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"


def bodies(server: RuntimeProcess, queue: str, count: int = 1) -> list[str]:
    """The bodies of the queue's messages, once there are `count`."""
    found: list[str] = []

    def receive() -> bool:
        answer = server.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        found.extend(each["Body"] for each in answer.get("Messages", []))
        return len(found) >= count

    until(receive)
    return found


def invoked(server: RuntimeProcess, name: str, event: Mapping[str, Any]) -> Any:
    """What the function returned."""
    answer = server.client().invoke(FunctionName=name, Payload=json.dumps(event).encode())
    result = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, result
    return result


def test_a_handler_uses_seven_services_and_another_function(server: RuntimeProcess) -> None:
    sqs, sns, bus = server.client("sqs"), server.client("sns"), server.client("events")
    server.client("s3").create_bucket(Bucket="own-calls")
    server.client("ssm").put_parameter(Name="/own/name", Value="name ", Type="SecureString")
    server.client("secretsmanager").create_secret(Name="own", SecretString="secret")
    queue = sqs.create_queue(QueueName="own-calls")["QueueUrl"]
    topic = sns.create_topic(Name="own-calls")["TopicArn"]
    for name in ("own-topic", "own-bus"):
        sqs.create_queue(QueueName=name)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{ACCOUNT}:own-topic")
    bus.put_rule(Name="own", EventPattern='{"source": ["own"]}')
    bus.put_targets(Rule="own", Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:own-bus"}])
    table = server.client("dynamodb")
    table.create_table(
        TableName="own-calls", KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
    )  # fmt: skip
    server.create("other")
    server.create("caller", EVERYTHING, Timeout=60, MemorySize=512)
    result = invoked(server, "caller", {"topic": topic})
    assert json.loads(result["object"]) == {"topic": topic}
    assert (result["account"], result["other"]) == (ACCOUNT, "x")
    assert bodies(server, queue) == ["name secret"]
    until(lambda: table.get_item(TableName="own-calls", Key={"key": {"S": "k"}})["Item"]["count"] == {"N": "1"})
    assert json.loads(bodies(server, sqs.get_queue_url(QueueName="own-topic")["QueueUrl"])[0])["Message"] == "published"
    event = json.loads(bodies(server, sqs.get_queue_url(QueueName="own-bus")["QueueUrl"])[0])
    assert (event["source"], event["detail-type"], event["account"]) == ("own", "Called", ACCOUNT)


def test_a_state_machine_runs_its_tasks_as_functions(server: RuntimeProcess) -> None:
    server.create("doubles", "def handler(event, context):\n    return event['n'] * 2\n")
    definition = {
        "StartAt": "Double",
        "States": {
            "Double": {"Type": "Task", "Resource": arn_of("doubles"), "ResultPath": "$.n", "Next": "Again"},
            "Again": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": "doubles", "Payload.$": "$"},
                "ResultSelector": {"n.$": "$.Payload"},
                "End": True,
            },
        },
    }
    states, role = server.client("stepfunctions"), f"arn:aws:iam::{ACCOUNT}:role/states"
    machine = states.create_state_machine(name="doubling", definition=json.dumps(definition), roleArn=role)
    run = states.start_execution(stateMachineArn=machine["stateMachineArn"], input='{"n": 5}')["executionArn"]
    until(lambda: states.describe_execution(executionArn=run)["status"] != "RUNNING", 20)
    ended = states.describe_execution(executionArn=run)
    assert (ended["status"], json.loads(ended["output"])) == ("SUCCEEDED", {"n": 20})


def test_a_secret_is_rotated_by_its_function(server: RuntimeProcess) -> None:
    server.create(
        "rotates",
        """
import boto3
def handler(event, context):
    client = boto3.client("secretsmanager")
    if event["Step"] == "createSecret":
        client.put_secret_value(SecretId=event["SecretId"], ClientRequestToken=event["ClientRequestToken"],
                                SecretString="new", VersionStages=["AWSPENDING"])
""",
        Timeout=30,
    )
    secrets = server.client("secretsmanager")
    secret = secrets.create_secret(Name="rotated", SecretString="old")["ARN"]
    server.client().add_permission(
        FunctionName="rotates", StatementId="rotation", Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com", SourceArn=secret,
    )  # fmt: skip
    secrets.rotate_secret(SecretId="rotated", RotationLambdaARN=arn_of("rotates"), RotationRules={})
    assert secrets.get_secret_value(SecretId="rotated")["SecretString"] == "new"


def test_a_stack_says_that_it_cannot_hold_functions(server: RuntimeProcess) -> None:
    stacks = server.client("cloudformation")
    function = {"Type": "AWS::Lambda::Function", "Properties": {"Handler": "x", "Role": "x", "Code": {"ZipFile": "x"}}}
    with pytest.raises(ClientError, match="cannot contain AWS::Lambda::Function"):
        stacks.create_stack(StackName="one", TemplateBody=json.dumps({"Resources": {"F": function}}))


def test_the_aws_command_line_uses_other_services(server: RuntimeProcess, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("aws")
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1",
    }  # fmt: skip

    def aws(*arguments: str) -> str:
        done = subprocess.run(
            [program, "--endpoint-url", server.url, *arguments],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    (tmp_path / "file.bin").write_bytes(os.urandom(20 << 20))
    aws("s3", "mb", "s3://command-line")
    aws("s3", "cp", "file.bin", "s3://command-line/up/file.bin")
    aws("s3", "cp", "s3://command-line/up/file.bin", "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == (tmp_path / "file.bin").read_bytes()
    url = json.loads(aws("sqs", "create-queue", "--queue-name", "command-line"))["QueueUrl"]
    aws("sqs", "send-message", "--queue-url", url, "--message-body", "typed")
    assert bodies(server, url) == ["typed"]
