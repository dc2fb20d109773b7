"""Loops of functions and what they write to: Lambda stops them after sixteen runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.runtime_process import RuntimeProcess, until
from tests.integration.runtime.polling import mapped, metric, queue, seen, soon

ARN = "arn:aws:lambda:us-east-1:123456789012:function:"
SEEN = "    print('SEEN ' + json.dumps({'at': time.time(), 'event': 1}))\n"
HEAD = "import boto3, json, time\ndef handler(event, context):\n" + SEEN


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeProcess]:
    """A runtime that waits hardly at all before it tries an event again."""
    process = RuntimeProcess(tmp_path_factory.mktemp("quick") / "home", "--retry-delays", "0.1,0.2")
    process.start()
    yield process
    assert process.stop() == 0
    assert process.descendants() == []


def stopped(server: RuntimeProcess, function: str) -> bool:
    """Whether a run of the function was refused because of a loop."""
    return metric(server, "RecursiveInvocationsDropped", function) >= 1


def allow(server: RuntimeProcess, function: str, service: str) -> None:
    """The service may invoke the function."""
    server.client().add_permission(
        FunctionName=function, StatementId=service, Action="lambda:InvokeFunction", Principal=f"{service}.amazonaws.com"
    )


def test_a_function_that_feeds_its_own_queue_is_stopped_and_the_message_is_kept(quick: RuntimeProcess) -> None:
    dead_url, dead = queue(quick, "loop-dead")
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 1})
    url, arn = queue(quick, "loop", 3, RedrivePolicy=redrive)
    source = HEAD + f"    boto3.client('sqs').send_message(QueueUrl='{url}', MessageBody='again')\n"
    quick.create("loops", source, Timeout=3)
    mapped(quick, "loops", arn, BatchSize=1)
    quick.client("sqs").send_message(QueueUrl=url, MessageBody="first")
    until(lambda: stopped(quick, "loops"), 60)
    found = soon(quick, dead_url)
    assert [message["Body"] for message in found] == ["again"]
    until(lambda: len(seen(quick, "loops")) == 16)


def test_a_function_that_publishes_to_its_own_topic_is_stopped_and_the_event_goes_to_its_dead_letter_queue(
    quick: RuntimeProcess,
) -> None:
    url, dead = queue(quick, "topic-dead")
    sns = quick.client("sns")
    topic = sns.create_topic(Name="loop")["TopicArn"]
    source = HEAD + f"    boto3.client('sns').publish(TopicArn='{topic}', Message='again')\n"
    quick.create("publishes", source, Timeout=10, DeadLetterConfig={"TargetArn": dead})
    allow(quick, "publishes", "sns")
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=ARN + "publishes")
    sns.publish(TopicArn=topic, Message="first")
    until(lambda: stopped(quick, "publishes"), 60)
    found = soon(quick, url)
    assert json.loads(found[0]["Body"])["Records"][0]["Sns"]["Message"] == "again"
    assert found[0]["MessageAttributes"]["ErrorCode"]["StringValue"] == "400"
    until(lambda: len(seen(quick, "publishes")) == 16)


def test_a_function_that_writes_into_the_bucket_it_is_told_about_is_stopped(quick: RuntimeProcess) -> None:
    s3 = quick.client("s3")
    s3.create_bucket(Bucket="loop")
    source = HEAD + "    boto3.client('s3').put_object(Bucket='loop', Key=str(time.time()), Body=b'again')\n"
    quick.create("writes", source, Timeout=10)
    allow(quick, "writes", "s3")
    s3.put_bucket_notification_configuration(
        Bucket="loop",
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": ARN + "writes", "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    s3.put_object(Bucket="loop", Key="first", Body=b"")
    until(lambda: stopped(quick, "writes"), 60)
    until(lambda: len(seen(quick, "writes")) == 16)


def test_functions_that_are_each_others_destinations_are_stopped_and_the_event_goes_to_the_failure_destination(
    quick: RuntimeProcess,
) -> None:
    url, arn = queue(quick, "circle")
    lambda_ = quick.client()
    for name, other in (("ping", "pong"), ("pong", "ping")):
        quick.create(name, HEAD)
        lambda_.put_function_event_invoke_config(
            FunctionName=name,
            DestinationConfig={"OnSuccess": {"Destination": ARN + other}, "OnFailure": {"Destination": arn}},
        )
    lambda_.invoke(FunctionName="ping", InvocationType="Event", Payload=b"{}")
    found = soon(quick, url)
    context = json.loads(found[0]["Body"])["requestContext"]
    assert (context["condition"], context["functionArn"]) == ("RecursiveInvocation", ARN + "ping:$LATEST")
    until(lambda: (len(seen(quick, "ping")), len(seen(quick, "pong"))) == (16, 16))


def test_a_loop_of_direct_calls_is_stopped_with_its_own_error_and_may_be_allowed(quick: RuntimeProcess) -> None:
    source = (
        "import boto3, json\n"
        "client = boto3.client('lambda')\n"
        "def handler(event, context):\n"
        "    if event['left'] == 0:\n"
        "        return 'bottom'\n"
        "    try:\n"
        "        answer = client.invoke(FunctionName='calls-itself', Payload=json.dumps({'left': event['left'] - 1}))\n"
        "        return json.loads(answer['Payload'].read())\n"
        "    except client.exceptions.RecursiveInvocationException as error:\n"
        "        return [event['left'], error.response['Error']['Code']]\n"
    )
    quick.create("calls-itself", source, Timeout=60)
    lambda_ = quick.client()

    def ask() -> Any:
        answer = lambda_.invoke(FunctionName="calls-itself", Payload=json.dumps({"left": 20}).encode())
        return json.loads(answer["Payload"].read())

    assert ask() == [5, "RecursiveInvocationException"]
    lambda_.put_function_recursion_config(FunctionName="calls-itself", RecursiveLoop="Allow")
    assert ask() == "bottom"
