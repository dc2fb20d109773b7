"""What a poller needs of a stream, and the two kinds of streams it is read from: Kinesis, and DynamoDB's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from runtime.pollers import envelopes
from runtime.pollers.shards import Shard, Stream
from runtime.queues.services import Services

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Horizon:
    """From the oldest record on."""


@dataclass(frozen=True, slots=True)
class Latest:
    """Records that are added from now on."""


@dataclass(frozen=True, slots=True)
class Since:
    """Records that arrived at `at` (epoch) or later."""

    at: float


@dataclass(frozen=True, slots=True)
class After:
    """Records after the one with this sequence number."""

    sequence: str


Position = Horizon | Latest | Since | After


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One record as the function gets it, and what deciding about it needs."""

    sequence: str
    arrived_at: float
    partition: str
    """Records with the same one are kept in order."""
    record: Mapping[str, Any]
    encoded: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """What one read gave. `following` is None at the end of a shard that is closed."""

    records: tuple[StreamRecord, ...]
    following: str | None


class Reader(Protocol):
    """A stream. Its methods raise botocore's exceptions."""

    async def describe(self) -> Stream:
        """The stream as it is now."""
        ...

    async def iterator(self, shard: str, position: Position) -> str:
        """Where to read in `shard`."""
        ...

    async def read(self, shard: str, iterator: str, most: int) -> Page:
        """The next records, at most `most`."""
        ...


class KinesisReader:
    """A Kinesis data stream. `role` goes into every record."""

    def __init__(self, arn: str, role: str, services: Services) -> None:
        self._arn = arn.split("/consumer/")[0]
        self._source = arn
        self._name = self._arn.rpartition("/")[2]
        self._role = role
        self._services = services

    async def describe(self) -> Stream:
        summary = await self._services.call("kinesis", "describe_stream_summary", StreamName=self._name)
        created = summary["StreamDescriptionSummary"]["StreamCreationTimestamp"]
        shards: list[Shard] = []
        arguments: dict[str, Any] = {"StreamName": self._name}
        while True:
            answer = await self._services.call("kinesis", "list_shards", **arguments)
            shards += [_shard(each) for each in answer["Shards"]]
            if not answer.get("NextToken"):
                return Stream(str(created.timestamp()), tuple(shards))
            arguments = {"NextToken": answer["NextToken"]}

    async def iterator(self, shard: str, position: Position) -> str:
        where: dict[str, Any]
        match position:
            case Horizon():
                where = {"ShardIteratorType": "TRIM_HORIZON"}
            case Latest():
                where = {"ShardIteratorType": "LATEST"}
            case Since(at):
                where = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": datetime.fromtimestamp(at, UTC)}
            case After(sequence):
                where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": sequence}
        answer = await self._services.call(
            "kinesis", "get_shard_iterator", StreamName=self._name, ShardId=shard, **where
        )
        return str(answer["ShardIterator"])

    async def read(self, shard: str, iterator: str, most: int) -> Page:
        answer = await self._services.call("kinesis", "get_records", ShardIterator=iterator, Limit=most)
        records = []
        for each in answer["Records"]:
            record = envelopes.kinesis(each, shard, self._source, self._role)
            arrived_at = each["ApproximateArrivalTimestamp"].timestamp()
            records.append(
                StreamRecord(
                    each["SequenceNumber"], arrived_at, each["PartitionKey"], record, envelopes.encoded(record)
                )
            )
        return Page(tuple(records), answer.get("NextShardIterator"))


class DynamoDbReader:
    """The stream of a DynamoDB table."""

    def __init__(self, arn: str, services: Services) -> None:
        self._arn = arn
        self._services = services

    async def describe(self) -> Stream:
        arguments: dict[str, Any] = {"StreamArn": self._arn}
        shards: list[Shard] = []
        while True:
            answer = await self._services.call("dynamodbstreams", "describe_stream", **arguments)
            found = answer["StreamDescription"]
            shards += [_shard(each) for each in found["Shards"]]
            if not found.get("LastEvaluatedShardId"):
                return Stream(found.get("StreamLabel", self._arn), tuple(shards))
            arguments["ExclusiveStartShardId"] = found["LastEvaluatedShardId"]

    async def iterator(self, shard: str, position: Position) -> str:
        where: dict[str, Any]
        match position:
            case Horizon() | Since():  # the reader leaves out what is older
                where = {"ShardIteratorType": "TRIM_HORIZON"}
            case Latest():
                where = {"ShardIteratorType": "LATEST"}
            case After(sequence):
                where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": sequence}
        answer = await self._services.call(
            "dynamodbstreams", "get_shard_iterator", StreamArn=self._arn, ShardId=shard, **where
        )
        return str(answer["ShardIterator"])

    async def read(self, shard: str, iterator: str, most: int) -> Page:  # noqa: ARG002  (Reader's shape)
        answer = await self._services.call(
            "dynamodbstreams", "get_records", ShardIterator=iterator, Limit=min(most, _PAGE)
        )
        records = []
        for each in answer["Records"]:
            record = envelopes.dynamodb(each, self._arn)
            change = each["dynamodb"]
            arrived_at = change["ApproximateCreationDateTime"].timestamp()
            keys = json.dumps(record["dynamodb"].get("Keys", {}), sort_keys=True)
            records.append(StreamRecord(change["SequenceNumber"], arrived_at, keys, record, envelopes.encoded(record)))
        return Page(tuple(records), answer.get("NextShardIterator"))


def _shard(listed: Mapping[str, Any]) -> Shard:
    parents = tuple(listed[name] for name in ("ParentShardId", "AdjacentParentShardId") if listed.get(name))
    closed = bool(listed.get("SequenceNumberRange", {}).get("EndingSequenceNumber"))
    return Shard(listed["ShardId"], parents, closed)
