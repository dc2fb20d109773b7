"""What is told about an asynchronous event that ended."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runtime.catalog.documents import EventInvokeConfig
from runtime.catalog.store import Catalog
from runtime.invoke.results import Result
from runtime.invoke.route import Route
from runtime.queues.delivery import Delivery, inserting, restored
from runtime.queues.endings import Place, deliveries
from runtime.queues.records import MAX_SNS_BYTES, Ending, dead_letter, destination_record, for_topic, object_key
from tests.unit.runtime.records import version

ARN = "arn:aws:lambda:us-east-1:123456789012:function:orders:$LATEST"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:"
AT = datetime(2026, 11, 23, 17, 45, 0, 123456, tzinfo=UTC)
SUCCESS = Ending("r1", ARN, "Success", 1, b'{"n": 1}', AT, Result(b'"done"'), "$LATEST")
FAILURE = replace(
    SUCCESS, condition="RetriesExhausted", invoke_count=3,
    result=Result(b'{"errorMessage": "on purpose", "errorType": "ValueError"}', "ValueError"),
)  # fmt: skip


def test_the_record_of_a_success() -> None:
    assert json.loads(destination_record(SUCCESS)) == {
        "version": "1.0",
        "timestamp": "2026-11-23T17:45:00.123Z",
        "requestContext": {
            "requestId": "r1",
            "functionArn": ARN,
            "condition": "Success",
            "approximateInvokeCount": 1,
        },
        "requestPayload": {"n": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": "done",
    }


def test_the_record_of_a_failure_names_the_function_error() -> None:
    record = json.loads(destination_record(FAILURE))
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert record["responsePayload"] == {"errorMessage": "on purpose", "errorType": "ValueError"}
    assert (record["requestContext"]["condition"], record["requestContext"]["approximateInvokeCount"]) == (
        "RetriesExhausted",
        3,
    )


def test_an_event_that_never_ran_has_no_response() -> None:
    record = json.loads(destination_record(replace(FAILURE, result=None, condition="EventAgeExceeded")))
    assert not {"responseContext", "responsePayload"} & record.keys()
    assert record["requestPayload"] == {"n": 1}


def test_a_topic_gets_no_payloads_that_it_has_no_room_for() -> None:
    assert for_topic(SUCCESS) == destination_record(SUCCESS)
    large = replace(SUCCESS, payload=json.dumps("x" * MAX_SNS_BYTES).encode())
    record = json.loads(for_topic(large))
    assert not {"requestPayload", "responsePayload"} & record.keys()
    assert record["responseContext"]["statusCode"] == 200


@pytest.mark.parametrize(
    ("ending", "code", "message"),
    [
        (FAILURE, "200", "on purpose"),
        (replace(FAILURE, result=Result(b'{"errorMessage": "' + b"x" * 3000 + b'"}', "E")), "200", "x" * 1024),
        (replace(FAILURE, result=None, refusal_status=429, refusal="Rate Exceeded."), "429", "Rate Exceeded."),
    ],
)
def test_a_dead_letter_says_who_why_and_with_which_status(ending: Ending, code: str, message: str) -> None:
    assert dead_letter(ending) == {
        "RequestID": {"DataType": "String", "StringValue": "r1"},
        "ErrorCode": {"DataType": "Number", "StringValue": code},
        "ErrorMessage": {"DataType": "String", "StringValue": message},
    }


def test_the_first_kilobyte_of_a_message_does_not_cut_a_character() -> None:
    text = "é" * 600
    ending = replace(FAILURE, result=Result(json.dumps({"errorMessage": "x" + text}).encode(), "E"))
    assert dead_letter(ending)["ErrorMessage"]["StringValue"] == "x" + "é" * 511


def test_an_object_has_one_name_however_often_it_is_written() -> None:
    key = object_key(FAILURE)
    assert key.startswith("aws/lambda/async/orders/2026/11/23/orders-2026-11-23T17.45.00-")
    assert key == object_key(FAILURE)
    assert key != object_key(replace(FAILURE, request_id="r2"))


# who is told --------------------------------------------------------------------------------------------------------


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    """`orders` with a dead-letter queue, and destinations of its own and of its alias `live`."""
    made = Catalog(tmp_path / "catalog.db")
    made.save(version(DeadLetterConfig={"TargetArn": QUEUE + "dead"}), version("1"))
    made.put(
        EventInvokeConfig("orders", "$LATEST", 0.0, on_success=QUEUE + "good", on_failure=QUEUE + "bad"),
        EventInvokeConfig("orders", "live", 0.0, on_failure="arn:aws:s3:::bucket"),
    )
    return made


def told(catalog: Catalog, route: Route, ending: Ending) -> list[Delivery]:
    """The deliveries."""
    return deliveries(catalog, Place(route, ARN), ending, "Root=1-a-b")


def test_a_success_goes_to_its_destination_alone(catalog: Catalog) -> None:
    (only,) = told(catalog, Route("orders", "orders", "$LATEST"), SUCCESS)
    assert (only.target, only.metric) == (QUEUE + "good", "DestinationDeliveryFailures")
    assert only.detail_type == "Lambda Function Invocation Result - Success"
    assert "Lineage=1:" in only.trace_id


def test_a_failure_goes_to_its_destination_and_to_the_dead_letter_queue(catalog: Catalog) -> None:
    destination, dead = told(catalog, Route("orders", "orders", "$LATEST"), FAILURE)
    assert (destination.target, dead.target) == (QUEUE + "bad", QUEUE + "dead")
    assert (dead.body, dead.metric) == (b'{"n": 1}', "DeadLetterErrors")
    assert dead.attributes["ErrorMessage"]["StringValue"] == "on purpose"


def test_an_alias_has_its_own_destinations_and_the_dead_letter_queue_of_the_version_that_ran(catalog: Catalog) -> None:
    alias = Route("orders", "orders:live", "1", by_alias=True)
    assert told(catalog, alias, replace(SUCCESS, executed_version="1")) == []
    (only,) = told(catalog, alias, replace(FAILURE, executed_version="1"))
    assert (only.target, only.object_key) == ("arn:aws:s3:::bucket", object_key(replace(FAILURE, executed_version="1")))


def test_a_delivery_is_restored_as_it_was_kept(catalog: Catalog) -> None:
    for delivery in told(catalog, Route("orders", "orders", "$LATEST"), FAILURE):
        _, (_, document, body) = inserting(7, delivery)
        assert restored(document, body) == delivery
