"""Where the results and failures of asynchronous events go: destinations of every kind, and dead-letter queues."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fakes.runtime_process import RuntimeProcess, until
from tests.integration.runtime.polling import metric, queue, seen, soon

Own = Callable[..., RuntimeProcess]
MAYBE = """
import json, time
def handler(event, context):
    print("SEEN " + json.dumps({"at": time.time(), "event": event}))
    if event.get("fail"):
        raise ValueError("on purpose")
    return {"got": event}
"""
QUEUE = "arn:aws:sqs:us-east-1:123456789012:"


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeProcess]:
    """A runtime that waits hardly at all before it tries an event again."""
    process = RuntimeProcess(tmp_path_factory.mktemp("quick") / "home", "--retry-delays", "0.1,0.2")
    process.start()
    yield process
    assert process.stop() == 0
    assert process.descendants() == []


def send(server: RuntimeProcess, name: str, **event: object) -> str:
    """The request id of an accepted event."""
    answer = server.client().invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode())
    assert answer["StatusCode"] == 202
    return str(answer["ResponseMetadata"]["RequestId"])


def configured(server: RuntimeProcess, name: str, **config: Any) -> None:
    """A function with this event invoke config; destinations as `on_success` and `on_failure`."""
    server.create(name, MAYBE)
    destinations = {
        key: {"Destination": config.pop(word)}
        for key, word in (("OnSuccess", "on_success"), ("OnFailure", "on_failure"))
        if word in config
    }
    server.client().put_function_event_invoke_config(FunctionName=name, DestinationConfig=destinations, **config)


def test_a_success_is_told_to_its_queue(quick: RuntimeProcess) -> None:
    url, arn = queue(quick, "successes")
    configured(quick, "succeeds", on_success=arn)
    request_id = send(quick, "succeeds", n=1)
    (message,) = soon(quick, url)
    record = json.loads(message["Body"])
    assert record["version"] == "1.0"
    assert record["requestContext"] == {
        "requestId": request_id,
        "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:succeeds:$LATEST",
        "condition": "Success",
        "approximateInvokeCount": 1,
    }
    assert record["requestPayload"] == {"n": 1}
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert record["responsePayload"] == {"got": {"n": 1}}
    assert metric(quick, "AsyncEventsReceived", "succeeds") == 1
    assert metric(quick, "AsyncEventsDropped", "succeeds") == 0


def test_a_failure_is_told_to_its_queue_and_the_event_goes_to_the_dead_letter_queue(quick: RuntimeProcess) -> None:
    url, arn = queue(quick, "failures")
    dead_url, dead = queue(quick, "letters")
    configured(quick, "breaks", on_failure=arn, MaximumRetryAttempts=1)
    lambda_ = quick.client()
    lambda_.update_function_configuration(FunctionName="breaks", DeadLetterConfig={"TargetArn": dead})
    until(lambda: lambda_.get_function_configuration(FunctionName="breaks")["LastUpdateStatus"] == "Successful")
    request_id = send(quick, "breaks", fail=True)
    record = json.loads(soon(quick, url)[0]["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorMessage"] == "on purpose"
    (letter,) = soon(quick, dead_url)
    assert json.loads(letter["Body"]) == {"fail": True}
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert attributes == {"RequestID": request_id, "ErrorCode": "200", "ErrorMessage": "on purpose"}
    assert metric(quick, "AsyncEventsDropped", "breaks") == 1


def test_a_topic_a_bus_and_a_bucket_are_told(quick: RuntimeProcess) -> None:
    url, arn = queue(quick, "copies")
    sns, events, s3 = quick.client("sns"), quick.client("events"), quick.client("s3")
    topic = sns.create_topic(Name="told")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    configured(quick, "to-topic", on_success=topic)
    send(quick, "to-topic", n=1)
    assert json.loads(soon(quick, url)[0]["Body"])["requestPayload"] == {"n": 1}

    bus = events.create_event_bus(Name="told")["EventBusArn"]
    pattern = json.dumps({"source": ["lambda"]})
    events.put_rule(Name="told", EventBusName="told", EventPattern=pattern)
    events.put_targets(Rule="told", EventBusName="told", Targets=[{"Id": "1", "Arn": arn}])
    configured(quick, "to-bus", on_success=bus)
    send(quick, "to-bus", n=2)
    event = json.loads(soon(quick, url)[0]["Body"])
    assert event["detail-type"] == "Lambda Function Invocation Result - Success"
    assert event["detail"]["requestPayload"] == {"n": 2}
    assert "arn:aws:lambda:us-east-1:123456789012:function:to-bus:$LATEST" in event["resources"]

    s3.create_bucket(Bucket="told")
    configured(quick, "to-bucket", on_failure="arn:aws:s3:::told", MaximumRetryAttempts=0)
    send(quick, "to-bucket", fail=True)
    until(lambda: s3.list_objects_v2(Bucket="told").get("Contents"))
    (listed,) = s3.list_objects_v2(Bucket="told")["Contents"]
    assert listed["Key"].startswith("aws/lambda/async/to-bucket/")
    record = json.loads(s3.get_object(Bucket="told", Key=listed["Key"])["Body"].read())
    assert record["requestContext"]["condition"] == "RetriesExhausted"


def test_another_function_is_told_as_an_asynchronous_event_of_its_own(quick: RuntimeProcess) -> None:
    quick.create("listens", MAYBE)
    configured(quick, "calls", on_success="arn:aws:lambda:us-east-1:123456789012:function:listens")
    request_id = send(quick, "calls", n=3)
    until(lambda: seen(quick, "listens"))
    (event,) = seen(quick, "listens")
    assert (event["requestContext"]["requestId"], event["requestPayload"]) == (request_id, {"n": 3})
    assert metric(quick, "AsyncEventsReceived", "listens") == 1


def test_nothing_reserved_sends_events_to_the_failure_destination_at_once(quick: RuntimeProcess) -> None:
    url, arn = queue(quick, "unreserved")
    configured(quick, "stopped", on_failure=arn)
    quick.client().put_function_concurrency(FunctionName="stopped", ReservedConcurrentExecutions=0)
    send(quick, "stopped", n=1)
    record = json.loads(soon(quick, url)[0]["Body"])
    assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert "responsePayload" not in record
    assert seen(quick, "stopped") == []


def test_a_destination_that_is_not_there_is_counted(quick: RuntimeProcess) -> None:
    configured(quick, "loses", on_success=QUEUE + "nowhere")
    send(quick, "loses", n=1)
    until(lambda: metric(quick, "DestinationDeliveryFailures", "loses") == 1)
    url, arn = queue(quick, "gone-letters")
    lambda_ = quick.client()
    lambda_.update_function_configuration(FunctionName="loses", DeadLetterConfig={"TargetArn": arn})
    until(lambda: lambda_.get_function_configuration(FunctionName="loses")["LastUpdateStatus"] == "Successful")
    quick.client("sqs").delete_queue(QueueUrl=url)
    send(quick, "loses", fail=True)
    until(lambda: metric(quick, "DeadLetterErrors", "loses") == 1)


def test_a_throttled_event_waits_without_using_up_its_retries(quick: RuntimeProcess) -> None:
    url, arn = queue(quick, "patience")
    configured(quick, "patient", on_success=arn, MaximumRetryAttempts=0)
    quick.update("patient", "import time\ndef handler(event, context):\n    time.sleep(event.get('sleep', 0))\n")
    quick.client().put_function_concurrency(FunctionName="patient", ReservedConcurrentExecutions=1)
    send(quick, "patient", sleep=1.5)
    second = send(quick, "patient", n=2)
    records = [json.loads(message["Body"]) for message in soon(quick, url, lambda found: len(found) >= 2)]
    assert records[-1]["requestContext"]["requestId"] == second
    assert records[-1]["requestContext"]["condition"] == "Success"


def test_a_destination_record_waits_on_disk_through_a_kill(own_server: Own) -> None:
    server = own_server()
    url, arn = queue(server, "through")
    server.create("through", "import time\ndef handler(event, context):\n    return 1\n")
    server.client().put_function_event_invoke_config(
        FunctionName="through", DestinationConfig={"OnSuccess": {"Destination": arn}}
    )
    sent = {send(server, "through", n=number) for number in range(50)}
    server.kill()
    server.start()
    found = soon(server, url, lambda messages: {_id(each) for each in messages} >= sent)
    assert {_id(each) for each in found} == sent


def _id(message: Any) -> str:
    return str(json.loads(message["Body"])["requestContext"]["requestId"])
