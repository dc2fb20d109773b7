"""Queues that feed functions: batches, what is deleted, what comes back, order, filters, changes while polling."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.fakes.runtime_process import RuntimeProcess, until
from tests.integration.runtime.polling import RECORDS, bodies, counts, mapped, metric, queue, received, seen


def send(server: RuntimeProcess, url: str, *texts: str, **more: Any) -> None:
    """Messages with these bodies."""
    for start in range(0, len(texts), 10):
        entries = [
            {"Id": str(index), "MessageBody": text, **more} for index, text in enumerate(texts[start : start + 10])
        ]
        assert not server.client("sqs").send_message_batch(QueueUrl=url, Entries=entries).get("Failed")


def test_messages_are_handed_over_as_lambda_shows_them_and_deleted(server: RuntimeProcess) -> None:
    server.create("takes", RECORDS)
    url, arn = queue(server, "takes")
    uuid = mapped(server, "takes", arn)
    attribute = {"colour": {"DataType": "String", "StringValue": "blue"}}
    server.client("sqs").send_message(QueueUrl=url, MessageBody="hello", MessageAttributes=attribute)
    until(lambda: seen(server, "takes"))
    (record,) = seen(server, "takes")[0]["Records"]
    assert (record["body"], record["eventSource"], record["eventSourceARN"]) == ("hello", "aws:sqs", arn)
    assert record["awsRegion"] == "us-east-1"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"]["colour"]["stringValue"] == "blue"
    until(lambda: counts(server, url) == (0, 0))
    assert server.client().get_event_source_mapping(UUID=uuid)["State"] == "Enabled"


def test_no_batch_is_larger_than_asked(server: RuntimeProcess) -> None:
    server.create("smallish", RECORDS)
    url, arn = queue(server, "smallish")
    send(server, url, *(str(number) for number in range(10)))
    mapped(server, "smallish", arn, BatchSize=3)
    until(lambda: counts(server, url) == (0, 0))
    until(lambda: sum(map(len, bodies(server, "smallish"))) == 10)
    batches = bodies(server, "smallish")
    assert max(map(len, batches)) == 3
    assert sorted(body for batch in batches for body in batch) == [str(number) for number in range(10)]


def test_a_window_gathers_more_than_one_receive_gives(server: RuntimeProcess) -> None:
    server.create("gathers", RECORDS)
    url, arn = queue(server, "gathers")
    send(server, url, *(str(number) for number in range(25)))
    mapped(server, "gathers", arn, BatchSize=25, MaximumBatchingWindowInSeconds=10)
    until(lambda: bodies(server, "gathers"), 9)  # complete by number, so the window's end is not waited for
    assert [len(batch) for batch in bodies(server, "gathers")] == [25]


def test_a_window_ends_with_what_there_is(server: RuntimeProcess) -> None:
    server.create("waits", RECORDS)
    url, arn = queue(server, "waits")
    mapped(server, "waits", arn, BatchSize=100, MaximumBatchingWindowInSeconds=2)
    send(server, url, "a", "b")
    began = time.monotonic()
    until(lambda: bodies(server, "waits"))
    assert time.monotonic() - began >= 1.5
    assert [sorted(batch) for batch in bodies(server, "waits")] == [["a", "b"]]


def test_messages_of_a_failed_batch_come_back_after_the_visibility_timeout_and_go_where_the_queue_says(
    server: RuntimeProcess,
) -> None:
    server.create("fails", RECORDS, Timeout=1)
    dead_url, dead = queue(server, "fails-dead")
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 2})
    url, arn = queue(server, "fails", 1, RedrivePolicy=redrive)
    mapped(server, "fails", arn)
    send(server, url, "fail")
    until(lambda: counts(server, dead_url)[0] == 1 and bodies(server, "fails") == [["fail"], ["fail"]])


def test_only_reported_items_come_back(server: RuntimeProcess) -> None:
    server.create("partly", RECORDS, Timeout=1)
    url, arn = queue(server, "partly", 1)
    mapped(server, "partly", arn, FunctionResponseTypes=["ReportBatchItemFailures"])
    send(server, url, "good", "bad", "fine")
    until(lambda: sum(body == "bad" for batch in bodies(server, "partly") for body in batch) >= 3)
    assert sorted(body for batch in bodies(server, "partly") for body in batch if body != "bad") == ["fine", "good"]


def test_without_reported_items_the_answer_means_nothing(server: RuntimeProcess) -> None:
    server.create("wholly", RECORDS, Timeout=1)
    url, arn = queue(server, "wholly", 1)
    mapped(server, "wholly", arn)
    send(server, url, "bad")
    until(lambda: counts(server, url) == (0, 0) and bodies(server, "wholly") == [["bad"]])


def test_messages_that_filters_stop_are_deleted_unseen(server: RuntimeProcess) -> None:
    server.create("filters", RECORDS)
    url, arn = queue(server, "filters")
    pattern = json.dumps({"body": {"size": [{"numeric": [">", 5]}]}})
    mapped(server, "filters", arn, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    send(server, url, '{"size": 7}', '{"size": 3}', "no json")
    until(lambda: counts(server, url) == (0, 0) and bodies(server, "filters") == [['{"size": 7}']])


def test_a_group_of_a_fifo_queue_is_kept_in_order_and_groups_run_side_by_side(server: RuntimeProcess) -> None:
    server.create("ordered", RECORDS)
    url, arn = queue(server, "ordered.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    for number in range(5):
        for group in ("a", "b"):
            server.client("sqs").send_message(QueueUrl=url, MessageBody=f"{group}{number}", MessageGroupId=group)
    mapped(server, "ordered", arn, BatchSize=2)
    until(lambda: counts(server, url) == (0, 0) and sum(map(len, bodies(server, "ordered"))) == 10)
    got = [body for batch in bodies(server, "ordered") for body in batch]
    assert [body for body in got if body[0] == "a"] == [f"a{number}" for number in range(5)]
    assert [body for body in got if body[0] == "b"] == [f"b{number}" for number in range(5)]


def test_no_more_batches_run_at_once_than_the_maximum_concurrency(server: RuntimeProcess) -> None:
    server.create("limited", RECORDS, Timeout=10)
    url, arn = queue(server, "limited", 60)
    send(server, url, *["sleep 0.4"] * 6)
    mapped(server, "limited", arn, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    until(lambda: counts(server, url) == (0, 0) and server.log_text("limited").count("END RequestId") == 6)
    begun, running = [], 0
    for line in server.log_text("limited").splitlines():
        stamp, _, text = line.partition(" ")
        if text.startswith(("START", "END")):
            begun.append((stamp, -1 if text.startswith("END") else 1))
    for _, step in sorted(begun):
        running += step
        assert running <= 2


def test_a_mapping_rests_works_again_with_what_was_changed_and_is_forgotten(server: RuntimeProcess) -> None:
    server.create("changes", RECORDS)
    url, arn = queue(server, "changes")
    uuid, lambda_ = mapped(server, "changes", arn), server.client()

    def state() -> str:
        return str(lambda_.get_event_source_mapping(UUID=uuid)["State"])

    assert lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)["State"] == "Disabling"
    until(lambda: state() == "Disabled")
    send(server, url, "a", "b", "c")
    time.sleep(0.5)  # nothing may happen: there is no condition to wait for
    assert (bodies(server, "changes"), counts(server, url)[0]) == ([], 3)
    assert lambda_.update_event_source_mapping(UUID=uuid, BatchSize=1)["State"] == "Updating"
    until(lambda: state() == "Disabled")
    assert lambda_.update_event_source_mapping(UUID=uuid, Enabled=True)["State"] == "Enabling"
    until(lambda: counts(server, url) == (0, 0) and len(bodies(server, "changes")) == 3)
    assert [len(batch) for batch in bodies(server, "changes")] == [1, 1, 1]
    assert lambda_.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    until(lambda: not lambda_.list_event_source_mappings(FunctionName="changes")["EventSourceMappings"])
    send(server, url, "late")
    time.sleep(0.5)  # as above
    assert [message["Body"] for message in received(server, url)] == ["late"]


def test_a_throttled_function_gets_its_messages_when_it_may_run_again(server: RuntimeProcess) -> None:
    server.create("throttled", RECORDS, Timeout=1)
    url, arn = queue(server, "throttled", 20)
    server.client().put_function_concurrency(FunctionName="throttled", ReservedConcurrentExecutions=0)
    mapped(server, "throttled", arn)
    send(server, url, "patient")
    until(lambda: counts(server, url) == (0, 1))
    server.client().delete_function_concurrency(FunctionName="throttled")
    until(lambda: counts(server, url) == (0, 0) and bodies(server, "throttled") == [["patient"]], 15)


def test_a_queue_that_is_gone_is_a_problem_and_not_the_end(server: RuntimeProcess) -> None:
    server.create("orphan", RECORDS)
    url, arn = queue(server, "orphan")
    uuid = mapped(server, "orphan", arn)
    server.client("sqs").delete_queue(QueueUrl=url)

    def result() -> str:
        return str(server.client().get_event_source_mapping(UUID=uuid).get("LastProcessingResult"))

    until(lambda: result().startswith("PROBLEM: "), 20)
    url, _ = queue(server, "orphan")
    send(server, url, "again")
    until(lambda: bodies(server, "orphan") == [["again"]], 20)
    server.client().delete_event_source_mapping(UUID=uuid)


def test_a_mapping_that_asks_for_its_metrics_gets_them(server: RuntimeProcess) -> None:
    server.create("counts", RECORDS)
    url, arn = queue(server, "counts")
    pattern = json.dumps({"body": [{"prefix": "yes"}]})
    uuid = mapped(
        server, "counts", arn, FilterCriteria={"Filters": [{"Pattern": pattern}]},
        MetricsConfig={"Metrics": ["EventCount"]},
    )  # fmt: skip
    send(server, url, "yes 1", "yes 2", "no")
    until(lambda: counts(server, url) == (0, 0))

    def total(name: str) -> float:
        return metric(server, name, uuid, "EventSourceMappingUUID")

    until(lambda: total("DeletedEventCount") == 3)
    figures = {name: total(name) for name in ("PolledEventCount", "FilteredOutEventCount", "InvokedEventCount")}
    assert figures == {"PolledEventCount": 3, "FilteredOutEventCount": 1, "InvokedEventCount": 2}
