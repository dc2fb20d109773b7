"""What a stream's on-failure destination is told about records that were given up. Pure. Source: reference §12."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from runtime.invoke.results import Result
from runtime.pollers.pieces import Record
from runtime.queues.records import stamp


@dataclass(frozen=True, slots=True)
class Discard:
    """Records of one shard that were given up. `result` is the last invocation's, None when there was none."""

    request_id: str
    function_arn: str
    condition: str
    invoke_count: int
    records: Sequence[Record]
    shard: str
    stream_arn: str
    at: datetime
    result: Result | None = None
    executed_version: str = ""


def failure_record(discard: Discard, payload: bytes | None = None) -> bytes:
    """The JSON document; `payload` is the event, which only buckets get."""
    record: dict[str, Any] = {
        "requestContext": {
            "requestId": discard.request_id,
            "functionArn": discard.function_arn,
            "condition": discard.condition,
            "approximateInvokeCount": discard.invoke_count,
        },
        "version": "1.0",
        "timestamp": stamp(discard.at),
        _batch_name(discard.stream_arn): _batch(discard),
    }
    if discard.result is not None:
        context: dict[str, Any] = {"statusCode": 200, "executedVersion": discard.executed_version}
        if discard.result.error_type:
            context["functionError"] = "Unhandled"
        record["responseContext"] = context
    if payload is not None:
        record["payload"] = payload.decode()
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()


def _batch_name(stream_arn: str) -> str:
    return "DDBStreamBatchInfo" if stream_arn.split(":")[2] == "dynamodb" else "KinesisBatchInfo"


def _batch(discard: Discard) -> Mapping[str, Any]:
    first, last = discard.records[0], discard.records[-1]
    return {
        "shardId": discard.shard,
        "startSequenceNumber": first.sequence,
        "endSequenceNumber": last.sequence,
        "approximateArrivalOfFirstRecord": stamp(datetime.fromtimestamp(first.arrived_at, UTC)),
        "approximateArrivalOfLastRecord": stamp(datetime.fromtimestamp(last.arrived_at, UTC)),
        "batchSize": len(discard.records),
        "streamArn": discard.stream_arn,
    }


def object_key(discard: Discard, mapping: str) -> str:
    """Where the record lies in a bucket; the same for the same records of the same shard."""
    digest = hashlib.sha256(
        f"{mapping}{discard.shard}{discard.records[0].sequence}{discard.records[-1].sequence}".encode()
    ).hexdigest()
    tail = f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
    return f"aws/lambda/{mapping}/{discard.shard}/{discard.at:%Y/%m/%d}/{discard.at:%Y-%m-%dT%H.%M.%S}-{tail}"
