"""Envelopes of S3, SNS and EventBridge, and the patience of producers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from runtime.gateway.events.envelopes import Change, Request, s3_bus_event, s3_event, sns_event
from runtime.gateway.events.retries import EVENTBRIDGE, SNS, chosen, is_final

AT = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
WHO = Request("REQUEST", "127.0.0.1", "123456789012")


def change(name: str, *, key: str = "a b/c+d.txt", size: int | None = 5, version: str = "") -> Change:
    """A change of one object."""
    return Change(name, "photos", key, size, "etag" if size is not None else "", version, "0001")


def test_an_s3_event_is_documented_to_the_letter() -> None:
    event = s3_event(change("ObjectCreated:Put", version="v1"), WHO, "us-east-1", AT, "mine")
    assert event == {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "us-east-1",
                "eventTime": "2026-01-31T12:00:00.123Z",
                "eventName": "ObjectCreated:Put",
                "userIdentity": {"principalId": "AWS:123456789012"},
                "requestParameters": {"sourceIPAddress": "127.0.0.1"},
                "responseElements": {"x-amz-request-id": "REQUEST", "x-amz-id-2": "local/REQUEST"},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "mine",
                    "bucket": {
                        "name": "photos",
                        "ownerIdentity": {"principalId": "123456789012"},
                        "arn": "arn:aws:s3:::photos",
                    },
                    "object": {
                        "key": "a+b/c%2Bd.txt", "size": 5, "eTag": "etag", "versionId": "v1", "sequencer": "0001",
                    },
                },
            }
        ]
    }  # fmt: skip


def test_a_removed_object_has_no_size() -> None:
    event = s3_event(change("ObjectRemoved:Delete", size=None), WHO, "us-east-1", AT, "mine")
    assert event["Records"][0]["s3"]["object"] == {"key": "a+b/c%2Bd.txt", "sequencer": "0001"}


@pytest.mark.parametrize(
    ("name", "kind", "reason", "deletion"),
    [
        ("ObjectCreated:Put", "Object Created", "PutObject", None),
        ("ObjectCreated:CompleteMultipartUpload", "Object Created", "CompleteMultipartUpload", None),
        ("ObjectRemoved:Delete", "Object Deleted", "DeleteObject", "Permanently Deleted"),
        ("ObjectRemoved:DeleteMarkerCreated", "Object Deleted", "DeleteObject", "Delete Marker Created"),
        ("ObjectTagging:Put", "Object Tags Added", None, None),
    ],
)
def test_eventbridge_hears_of_it_in_its_own_words(
    name: str, kind: str, reason: str | None, deletion: str | None
) -> None:
    event = s3_bus_event(change(name), WHO, "us-east-1", AT, "id")
    assert event is not None
    assert (event["detail-type"], event["source"], event["time"]) == (kind, "aws.s3", "2026-01-31T12:00:00Z")
    assert event["resources"] == ["arn:aws:s3:::photos"]
    detail = event["detail"]
    assert (detail.get("reason"), detail.get("deletion-type")) == (reason, deletion)
    assert detail["object"]["key"] == "a b/c+d.txt"


def test_eventbridge_does_not_hear_of_what_s3_does_not_tell_it() -> None:
    assert s3_bus_event(change("ReducedRedundancyLostObject"), WHO, "us-east-1", AT, "id") is None


def test_an_sns_event_has_the_message_and_an_absent_subject_as_null() -> None:
    posted = {
        "Type": "Notification", "MessageId": "m", "TopicArn": "t", "Message": "hello", "Timestamp": "now",
        "SignatureVersion": "2", "Signature": "s", "SigningCertURL": "c", "UnsubscribeURL": "u",
    }  # fmt: skip
    record = sns_event(posted, "subscription")["Records"][0]
    assert record["EventSubscriptionArn"] == "subscription"
    assert record["Sns"]["Subject"] is None
    assert (record["Sns"]["SigningCertUrl"], record["Sns"]["UnsubscribeUrl"]) == ("c", "u")
    assert record["Sns"]["MessageAttributes"] == {}


def test_sns_tries_three_times_at_once_then_slower_and_slower() -> None:
    assert [SNS.delay_s(made, 0) for made in (1, 3, 4, 5, 6, 9, 20)] == [0, 0, 1, 2, 4, 20, 20]


def test_eventbridge_gives_up_after_its_attempts_or_its_age() -> None:
    assert EVENTBRIDGE.delay_s(185, 100) is not None
    assert EVENTBRIDGE.delay_s(186, 100) is None
    assert EVENTBRIDGE.delay_s(1, 86_400) is None
    once = chosen({"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60})
    assert once.delay_s(1, 0) is None
    assert once.condition(1) == "MaximumRetryAttempts"
    assert chosen({"MaximumEventAgeInSeconds": 60}).condition(3) == "MaximumEventAgeInSeconds"
    assert chosen(None) == EVENTBRIDGE


@pytest.mark.parametrize(
    ("status", "final"), [(202, False), (400, True), (403, True), (404, True), (429, False), (500, False)]
)
def test_refusals_are_final_and_throttles_are_not(status: int, final: bool) -> None:
    assert is_final(status) is final
