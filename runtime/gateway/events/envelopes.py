"""The documents that functions are given as events by S3, SNS and EventBridge. Pure.

Source: S3's "Event message structure", Lambda's "Using AWS Lambda with Amazon SNS", EventBridge's "Events".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to an object. `size_bytes` and `etag` are those of the object that was written, if one was."""

    name: str
    """`ObjectCreated:Put`."""
    bucket: str
    key: str
    size_bytes: int | None
    etag: str
    version_id: str
    sequencer: str


@dataclass(frozen=True, slots=True)
class Request:
    """Who changed it."""

    id: str
    source_ip: str
    account: str


def s3_event(change: Change, request: Request, region: str, at: datetime, configuration_id: str) -> Event:
    """One record, as S3 sends it to functions, queues and topics; the key is encoded as in a form."""
    thing: Event = {"key": quote_plus(change.key, safe="/")}
    if change.size_bytes is not None:
        thing["size"] = change.size_bytes
        thing["eTag"] = change.etag
    if change.version_id:
        thing["versionId"] = change.version_id
    thing["sequencer"] = change.sequencer
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": milliseconds(at),
        "eventName": change.name,
        "userIdentity": {"principalId": f"AWS:{request.account}"},
        "requestParameters": {"sourceIPAddress": request.source_ip},
        "responseElements": {"x-amz-request-id": request.id, "x-amz-id-2": f"local/{request.id}"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration_id,
            "bucket": {
                "name": change.bucket,
                "ownerIdentity": {"principalId": request.account},
                "arn": f"arn:aws:s3:::{change.bucket}",
            },
            "object": thing,
        },
    }
    return {"Records": [record]}


_DETAIL_TYPES = (
    ("ObjectCreated:", "Object Created"),
    ("ObjectRemoved:", "Object Deleted"),
    ("ObjectRestore:Post", "Object Restore Initiated"),
    ("ObjectRestore:Completed", "Object Restore Completed"),
    ("ObjectRestore:Delete", "Object Restore Expired"),
    ("LifecycleExpiration:", "Object Deleted"),
    ("LifecycleTransition", "Object Storage Class Changed"),
    ("IntelligentTiering", "Object Access Tier Changed"),
    ("ObjectAcl:", "Object ACL Updated"),
    ("ObjectTagging:Put", "Object Tags Added"),
    ("ObjectTagging:Delete", "Object Tags Deleted"),
)
_REASONS = {
    "ObjectCreated:Put": "PutObject",
    "ObjectCreated:Post": "POST Object",
    "ObjectCreated:Copy": "CopyObject",
    "ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
    "ObjectRemoved:Delete": "DeleteObject",
    "ObjectRemoved:DeleteMarkerCreated": "DeleteObject",
}


def s3_bus_event(change: Change, request: Request, region: str, at: datetime, event_id: str) -> Event | None:
    """The same for EventBridge, where the key is as it is; None for what S3 does not send there."""
    kind = next((kind for start, kind in _DETAIL_TYPES if change.name.startswith(start)), None)
    if kind is None:
        return None
    thing: Event = {"key": change.key}
    if change.size_bytes is not None:
        thing |= {"size": change.size_bytes, "etag": change.etag}
    if change.version_id:
        thing["version-id"] = change.version_id
    thing["sequencer"] = change.sequencer
    detail: Event = {"version": "0", "bucket": {"name": change.bucket}, "object": thing, "request-id": request.id}
    detail |= {"requester": request.account, "source-ip-address": request.source_ip}
    if change.name in _REASONS:
        detail["reason"] = _REASONS[change.name]
    if change.name.startswith("ObjectRemoved:"):
        marker = change.name.endswith("DeleteMarkerCreated")
        detail["deletion-type"] = "Delete Marker Created" if marker else "Permanently Deleted"
    bucket_arn = f"arn:aws:s3:::{change.bucket}"
    return bus_event("aws.s3", kind, detail, request.account, region, at, event_id, [bucket_arn])


def bus_event(
    source: str,
    detail_type: str,
    detail: Any,
    account: str,
    region: str,
    at: datetime,
    event_id: str,
    resources: list[str],
) -> Event:
    """An event as EventBridge hands it on."""
    return {
        "version": "0",
        "id": event_id,
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": seconds(at),
        "region": region,
        "resources": resources,
        "detail": detail,
    }


def sns_event(notification: Mapping[str, Any], subscription_arn: str) -> Event:
    """One record; `notification` is what SNS posts to HTTP endpoints."""
    message = {
        "Type": "Notification",
        "MessageId": notification["MessageId"],
        "TopicArn": notification["TopicArn"],
        "Subject": notification.get("Subject"),
        "Message": notification["Message"],
        "Timestamp": notification["Timestamp"],
        "SignatureVersion": notification["SignatureVersion"],
        "Signature": notification["Signature"],
        "SigningCertUrl": notification["SigningCertURL"],
        "UnsubscribeUrl": notification["UnsubscribeURL"],
        "MessageAttributes": notification.get("MessageAttributes") or {},
    }
    record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription_arn, "Sns": message}
    return {"Records": [record]}


def seconds(at: datetime) -> str:
    """`2026-01-31T12:00:00Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds(at: datetime) -> str:
    """`2026-01-31T12:00:00.000Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
