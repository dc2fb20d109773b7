"""Streams that feed functions: order, positions, failures and what is told about them, for Kinesis and DynamoDB."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable

import pytest

from tests.fakes.runtime_process import RuntimeProcess, until
from tests.integration.runtime.polling import mapped, queue, seen, soon

Own = Callable[..., RuntimeProcess]
READS = """
import base64, json, time
def handler(event, context):
    print("SEEN " + json.dumps({"at": time.time(), "event": event}))
    for record in event["Records"]:
        number = record["kinesis"]["sequenceNumber"]
        text = base64.b64decode(record["kinesis"]["data"]).decode()
        if text.startswith("sleep "):
            time.sleep(float(text.split()[1]))
        if text == "fail":
            raise ValueError("on purpose")
        if text == "bad":
            return {"batchItemFailures": [{"itemIdentifier": number}]}
"""
KEEPS = """
import json, time
def handler(event, context):
    print("SEEN " + json.dumps({"at": time.time(), "event": event}))
"""


def stream(server: RuntimeProcess, name: str, shards: int = 1) -> str:
    """The ARN of a new Kinesis stream."""
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    return str(kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"])


def put(server: RuntimeProcess, name: str, *texts: str, key: str = "") -> None:
    """Records with these data, all with the same partition key or each with its own."""
    records = [{"Data": text.encode(), "PartitionKey": key or text} for text in texts]
    assert server.client("kinesis").put_records(StreamName=name, Records=records)["FailedRecordCount"] == 0


def batches(server: RuntimeProcess, function: str) -> list[list[str]]:
    """The data of each batch of Kinesis records the function got."""
    return [
        [base64.b64decode(record["kinesis"]["data"]).decode() for record in event["Records"]]
        for event in seen(server, function)
    ]


def flat(lists: list[list[str]]) -> list[str]:
    """All in one."""
    return [text for each in lists for text in each]


def test_records_of_a_shard_come_in_order_and_as_lambda_shows_them(server: RuntimeProcess) -> None:
    server.create("clicks", READS)
    arn = stream(server, "clicks")
    texts = [f"t{number}" for number in range(25)]
    put(server, "clicks", *texts)
    uuid = mapped(server, "clicks", arn, StartingPosition="TRIM_HORIZON", BatchSize=10)
    until(lambda: len(flat(batches(server, "clicks"))) == 25)
    assert [len(batch) for batch in batches(server, "clicks")] == [10, 10, 5]
    assert flat(batches(server, "clicks")) == texts
    record = seen(server, "clicks")[0]["Records"][0]
    assert (record["eventSource"], record["eventName"]) == ("aws:kinesis", "aws:kinesis:record")
    assert record["eventID"].startswith("shardId-000000000000:")
    assert (record["kinesis"]["partitionKey"], record["eventSourceARN"]) == ("t0", arn)
    put(server, "clicks", "later")
    until(lambda: flat(batches(server, "clicks"))[-1] == "later")
    lambda_ = server.client()
    until(lambda: lambda_.get_event_source_mapping(UUID=uuid)["LastProcessingResult"] == "OK")


def test_latest_begins_with_what_comes_after(server: RuntimeProcess) -> None:
    server.create("latest", READS)
    arn = stream(server, "latest")
    put(server, "latest", "before")
    mapped(server, "latest", arn, StartingPosition="LATEST")

    def sent_and_seen() -> bool:
        put(server, "latest", "after")
        return bool(batches(server, "latest"))

    until(sent_and_seen)
    assert set(flat(batches(server, "latest"))) == {"after"}


def test_every_shard_is_read(server: RuntimeProcess) -> None:
    server.create("many", READS)
    arn = stream(server, "many", 3)
    texts = {f"t{number}" for number in range(30)}
    put(server, "many", *sorted(texts))
    mapped(server, "many", arn, StartingPosition="TRIM_HORIZON")
    until(lambda: set(flat(batches(server, "many"))) == texts)
    shards = {record["eventID"].split(":")[0] for event in seen(server, "many") for record in event["Records"]}
    assert len(shards) > 1
    for event in seen(server, "many"):
        assert len({record["eventID"].split(":")[0] for record in event["Records"]}) == 1


def test_lanes_of_a_shard_keep_the_order_of_each_key(server: RuntimeProcess) -> None:
    server.create("lanes", READS, Timeout=10)
    arn = stream(server, "lanes")
    for number in range(5):
        for key in ("a", "b", "c", "d"):
            put(server, "lanes", f"{key}{number}", key=key)
    mapped(server, "lanes", arn, StartingPosition="TRIM_HORIZON", ParallelizationFactor=4, BatchSize=2)
    until(lambda: len(flat(batches(server, "lanes"))) == 20)
    got = flat(batches(server, "lanes"))
    for key in ("a", "b", "c", "d"):
        assert [text for text in got if text[0] == key] == [f"{key}{number}" for number in range(5)]


def test_a_failing_batch_holds_up_the_shard_until_its_retries_are_used_up_and_is_told(server: RuntimeProcess) -> None:
    server.create("stuck", READS)
    url, told = queue(server, "stuck-told")
    arn = stream(server, "stuck")
    put(server, "stuck", "one", "fail", "two", "three")
    mapped(
        server, "stuck", arn, StartingPosition="TRIM_HORIZON", BatchSize=2, MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": told}},
    )  # fmt: skip
    until(lambda: batches(server, "stuck") == [["one", "fail"], ["one", "fail"], ["two", "three"]])
    (message,) = [json.loads(each["Body"]) for each in soon(server, url)]
    assert message["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert message["requestContext"]["approximateInvokeCount"] == 2
    assert message["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    info = message["KinesisBatchInfo"]
    assert (info["batchSize"], info["streamArn"], info["shardId"]) == (2, arn, "shardId-000000000000")
    numbers = [record["kinesis"]["sequenceNumber"] for record in seen(server, "stuck")[0]["Records"]]
    assert [info["startSequenceNumber"], info["endSequenceNumber"]] == numbers


def test_bisecting_finds_the_record_that_fails(server: RuntimeProcess) -> None:
    server.create("halves", READS)
    url, told = queue(server, "halves-told")
    arn = stream(server, "halves")
    put(server, "halves", "a", "b", "c", "fail", "d")
    mapped(
        server, "halves", arn, StartingPosition="TRIM_HORIZON", MaximumRetryAttempts=0, BisectBatchOnFunctionError=True,
        DestinationConfig={"OnFailure": {"Destination": told}},
    )  # fmt: skip
    until(lambda: batches(server, "halves")[-1:] == [["d"]], 20)
    assert batches(server, "halves") == [["a", "b", "c", "fail", "d"], ["a", "b", "c"], ["fail", "d"], ["fail"], ["d"]]
    (message,) = [json.loads(each["Body"]) for each in soon(server, url)]
    assert message["KinesisBatchInfo"]["batchSize"] == 1


def test_reading_goes_on_from_the_lowest_item_reported_and_buckets_get_the_event(server: RuntimeProcess) -> None:
    server.create("items", READS)
    server.client("s3").create_bucket(Bucket="items-told")
    arn = stream(server, "items")
    put(server, "items", "a", "b", "bad", "c")
    uuid = mapped(
        server, "items", arn, StartingPosition="TRIM_HORIZON", MaximumRetryAttempts=1,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        DestinationConfig={"OnFailure": {"Destination": "arn:aws:s3:::items-told"}},
    )  # fmt: skip
    until(lambda: batches(server, "items") == [["a", "b", "bad", "c"], ["bad", "c"]])
    s3 = server.client("s3")
    until(lambda: s3.list_objects_v2(Bucket="items-told").get("Contents"))
    (listed,) = s3.list_objects_v2(Bucket="items-told")["Contents"]
    assert listed["Key"].startswith(f"aws/lambda/{uuid}/shardId-000000000000/")
    record = json.loads(s3.get_object(Bucket="items-told", Key=listed["Key"])["Body"].read())
    assert record["KinesisBatchInfo"]["batchSize"] == 2
    data = [base64.b64decode(each["kinesis"]["data"]) for each in json.loads(record["payload"])["Records"]]
    assert data == [b"bad", b"c"]


def test_filters_skip_records(server: RuntimeProcess) -> None:
    server.create("sifts", READS)
    arn = stream(server, "sifts")
    pattern = json.dumps({"data": {"size": [{"numeric": [">", 5]}]}})
    put(server, "sifts", '{"size": 7}', '{"size": 1}', "no json", '{"size": 9}')
    mapped(server, "sifts", arn, StartingPosition="TRIM_HORIZON", FilterCriteria={"Filters": [{"Pattern": pattern}]})
    until(lambda: flat(batches(server, "sifts")) == ['{"size": 7}', '{"size": 9}'])


@pytest.mark.parametrize("view", ["NEW_AND_OLD_IMAGES"])
def test_changes_of_a_table_come_in_order(server: RuntimeProcess, view: str) -> None:
    server.create("orders", KEEPS)
    dynamodb = server.client("dynamodb")
    made = dynamodb.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": view},
    )["TableDescription"]
    dynamodb.put_item(TableName="orders", Item={"id": {"S": "1"}, "n": {"N": "1"}, "raw": {"B": b"\x00"}})
    mapped(server, "orders", made["LatestStreamArn"], StartingPosition="TRIM_HORIZON")
    until(lambda: seen(server, "orders"))
    dynamodb.put_item(TableName="orders", Item={"id": {"S": "1"}, "n": {"N": "2"}})
    dynamodb.delete_item(TableName="orders", Key={"id": {"S": "1"}})
    until(lambda: sum(len(event["Records"]) for event in seen(server, "orders")) == 3)
    records = [record for event in seen(server, "orders") for record in event["Records"]]
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    first = records[0]
    assert (first["eventSource"], first["eventSourceARN"]) == ("aws:dynamodb", made["LatestStreamArn"])
    assert first["dynamodb"]["NewImage"] == {"id": {"S": "1"}, "n": {"N": "1"}, "raw": {"B": "AA=="}}
    assert records[1]["dynamodb"]["OldImage"]["n"] == {"N": "1"}


def test_a_killed_server_goes_on_where_each_shard_was(own_server: Own) -> None:
    server = own_server()
    server.create("goes", READS)
    arn = stream(server, "goes", 2)
    first = [f"a{number}" for number in range(20)]
    put(server, "goes", *first)
    mapped(server, "goes", arn, StartingPosition="TRIM_HORIZON", BatchSize=5)
    until(lambda: set(flat(batches(server, "goes"))) == set(first))
    server.kill()
    server.start()
    second = [f"b{number}" for number in range(10)]
    put(server, "goes", *second)
    until(lambda: set(second) <= set(flat(batches(server, "goes"))), 20)
    assert sorted(flat(batches(server, "goes"))) == sorted(first + second)


def test_what_came_while_the_server_was_dead_is_not_missed_from_latest_on(own_server: Own) -> None:
    server = own_server()
    server.create("missed", READS)
    arn = stream(server, "missed")
    put(server, "missed", "before")
    mapped(server, "missed", arn, StartingPosition="LATEST")
    until(lambda: _opened(server))
    server.kill()
    server.start()
    put(server, "missed", "after")
    until(lambda: flat(batches(server, "missed")) == ["after"], 20)


def _opened(server: RuntimeProcess) -> bool:
    """Whether reading of a shard has begun, as kept on disk."""

    with sqlite3.connect(f"file:{server.home}/events.db?mode=ro", uri=True) as database:
        return bool(database.execute("SELECT count(*) FROM positions").fetchone()[0])
