"""The poller of one queue: receives, gathers batches, invokes, deletes what is done. Source: reference §12, "SQS"."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runtime.catalog.documents import EventSourceMapping
from runtime.invoke import lineage
from runtime.pollers import envelopes
from runtime.pollers.batching import Batch
from runtime.pollers.filters import filters
from runtime.pollers.kit import FUNCTION_FAILED, OK, Kit, Ran, Target
from runtime.pollers.responses import Failed, Partly, verdict
from runtime.pollers.scaling import Scale

_log = logging.getLogger(__name__)
_MOST_AT_ONCE = 10
"""Source: SQS, ReceiveMessage and its batch operations."""
_LONG_POLL_S = 10
_SOON_S, _AGAIN_LAST_S, _THROTTLED_LAST_S = 0.2, 30.0, 20.0


@dataclass(frozen=True, slots=True)
class Message:
    """One message while it is ours: until `back_at` nobody else sees it."""

    id: str
    receipt: str
    encoded: bytes
    trace_id: str
    back_at: float


@dataclass(frozen=True, slots=True)
class _Queue:
    url: str
    visibility_s: float


class SqsPoller:
    """Call `start`, later `stop`. One receiver feeds as many batches at once as `Scale` allows."""

    def __init__(self, mapping: EventSourceMapping, kit: Kit) -> None:
        settings = mapping.settings
        self._mapping = mapping
        self._kit = kit
        self._target = Target(mapping, kit)
        self._filters = filters(settings.get("FilterCriteria", {}))
        self._size: int = settings.get("BatchSize", _MOST_AT_ONCE)
        self._window_s: float = settings.get("MaximumBatchingWindowInSeconds", 0)
        self._reports_items = "ReportBatchItemFailures" in settings.get("FunctionResponseTypes", ())
        self._scale = Scale(settings.get("ScalingConfig", {}).get("MaximumConcurrency"))
        self._leftover: list[Message] = []
        self._running: set[asyncio.Task[None]] = set()
        self._giving: set[asyncio.Future[Any]] = set()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """Begin to poll."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Receive no more, and wait for the batches that run."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.gather(*self._running, return_exceptions=True)

    def abandon(self) -> None:
        """End at once; messages that are not dealt with come back by themselves."""
        self._stopping = True
        for task in (self._task, *self._running):
            if task is not None:
                task.cancel()

    async def _run(self) -> None:
        pause_s = 1.0
        while True:
            try:
                queue = await self._open()
                while True:
                    await self._round(queue)
                    pause_s = 1.0
            except Exception as error:  # noqa: BLE001  (whatever goes wrong, polling goes on)
                _log.warning("polling %s: %s", self._mapping.source, error)
                self._kit.report(self._mapping.uuid, f"PROBLEM: {error}")
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _AGAIN_LAST_S)

    async def _open(self) -> _Queue:
        account, name = self._mapping.source.split(":")[4:6]
        found = await self._kit.services.call("sqs", "get_queue_url", QueueName=name, QueueOwnerAWSAccountId=account)
        url = found["QueueUrl"]
        answer = await self._kit.services.call(
            "sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["VisibilityTimeout"]
        )
        return _Queue(url, float(answer["Attributes"]["VisibilityTimeout"]))

    async def _round(self, queue: _Queue) -> None:
        """Wait for room, gather one batch, begin to process it."""
        problem = self._target.problem()
        if problem:
            self._kit.report(self._mapping.uuid, problem)
            await asyncio.sleep(1.0)
            return
        while len(self._running) >= self._scale.limit:
            self._scale.wanting(self._kit.now())
            await asyncio.wait(self._running, timeout=_SOON_S, return_when=asyncio.FIRST_COMPLETED)
        batch = await self._gather(queue)
        if not batch.records:
            if not self._running:
                self._scale.idle()
            return
        self._scale.satisfied()
        for messages in _loops_apart(batch.records, self._mapping.function):
            task = asyncio.create_task(self._process(queue, messages))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    # receiving --------------------------------------------------------------------------------------------------

    async def _gather(self, queue: _Queue) -> Batch[Message]:
        """The next batch; empty when a long poll found nothing."""
        batch: Batch[Message] = Batch(self._size, self._window_s)
        try:
            await self._fill(batch, queue)
        except asyncio.CancelledError:
            self._give_back(queue, [message.receipt for message in (*batch.records, *self._leftover)])
            raise
        return batch

    async def _fill(self, batch: Batch[Message], queue: _Queue) -> None:
        now = self._kit.now()
        kept = [message for message in self._leftover if message.back_at > now]
        self._leftover = batch.add_all(kept, now)
        while not batch.complete(now):
            wait_s = int(min(batch.left_s(now), _LONG_POLL_S)) if batch.records else self._patience_s()
            messages = await self._receive(queue, min(batch.room(), _MOST_AT_ONCE), wait_s)
            now = self._kit.now()
            self._leftover = batch.add_all(messages, now)
            if not batch.records:
                if not wait_s and self._running:
                    await asyncio.wait(self._running, timeout=_SOON_S, return_when=asyncio.FIRST_COMPLETED)
                break
            if not messages and not batch.complete(now):
                await asyncio.sleep(min(_SOON_S, batch.left_s(now)))
                now = self._kit.now()

    def _patience_s(self) -> int:
        """How long to wait for messages. While groups of a FIFO queue are worked on, what follows in them is to be seen
        as soon as they are done; a long poll that began before does not see it everywhere."""
        return 0 if self._running and self._mapping.source.endswith(".fifo") else _LONG_POLL_S

    async def _receive(self, queue: _Queue, most: int, wait_s: int) -> list[Message]:
        """Messages the function is to get; those that the filters stop are deleted."""
        asked_at = self._kit.now()
        receiving = asyncio.ensure_future(
            self._kit.services.call(
                "sqs", "receive_message", QueueUrl=queue.url, MaxNumberOfMessages=most, WaitTimeSeconds=wait_s,
                AttributeNames=["All"], MessageAttributeNames=["All"],
            )
        )  # fmt: skip
        try:
            answer = await asyncio.shield(receiving)
        except asyncio.CancelledError:
            receiving.add_done_callback(lambda done: self._return(queue, done))
            raise
        found: list[Any] = answer.get("Messages", [])
        self._target.count("PolledEventCount", len(found))
        passed: list[Message] = []
        stopped: list[Message] = []
        for each in found:
            record = envelopes.sqs(each, self._mapping.source)
            message = Message(
                id=record["messageId"],
                receipt=record["receiptHandle"],
                encoded=envelopes.encoded(record),
                trace_id=record["attributes"].get("AWSTraceHeader", ""),
                back_at=asked_at + queue.visibility_s,
            )
            (passed if self._filters.passes(record) else stopped).append(message)
        if stopped:
            self._target.count("FilteredOutEventCount", len(stopped))
            await self._delete(queue, stopped)
        return passed

    def _return(self, queue: _Queue, done: asyncio.Future[Any]) -> None:
        """Messages that came after polling was stopped are shown to others again."""
        if not done.cancelled() and done.exception() is None:
            self._give_back(queue, [each["ReceiptHandle"] for each in done.result().get("Messages", [])])

    def _give_back(self, queue: _Queue, receipts: Sequence[str]) -> None:
        for start in range(0, len(receipts), _MOST_AT_ONCE):
            entries = [
                {"Id": str(index), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for index, receipt in enumerate(receipts[start : start + _MOST_AT_ONCE])
            ]
            giving = asyncio.ensure_future(
                self._kit.services.call("sqs", "change_message_visibility_batch", QueueUrl=queue.url, Entries=entries)
            )
            self._giving.add(giving)
            giving.add_done_callback(self._given)

    def _given(self, giving: asyncio.Future[Any]) -> None:
        self._giving.discard(giving)
        if not giving.cancelled() and giving.exception() is not None:
            _log.warning("messages of %s come back later: %s", self._mapping.source, giving.exception())

    # processing -------------------------------------------------------------------------------------------------

    async def _process(self, queue: _Queue, messages: Sequence[Message]) -> None:
        try:
            ran = await self._invoke(messages)
            if ran is not None:
                await self._conclude(queue, messages, ran)
        except Exception as error:  # noqa: BLE001  (the messages come back)
            _log.warning("a batch of %s: %s", self._mapping.source, error)
            self._kit.report(self._mapping.uuid, f"PROBLEM: {error}")

    async def _invoke(self, messages: Sequence[Message]) -> Ran | None:
        """None when it could not be invoked for as long as the messages are ours: they come back."""
        payload = envelopes.event(message.encoded for message in messages)
        trace_id = lineage.merged(message.trace_id for message in messages)
        last = min(message.back_at for message in messages) - self._target.timeout_s()
        wait_s = 1.0
        while True:
            outcome = await self._target.invoke(payload, trace_id)
            if isinstance(outcome, Ran):
                self._target.count("InvokedEventCount", len(messages))
                return outcome
            self._scale.failed()
            self._kit.report(self._mapping.uuid, f"PROBLEM: {outcome.error.message}")
            looping = outcome.error.code == "RecursiveInvocationException"
            if looping or self._stopping or self._kit.now() + wait_s > last:
                self._target.count("FailedInvokeEventCount", len(messages))
                return None
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, _THROTTLED_LAST_S)

    async def _conclude(self, queue: _Queue, messages: Sequence[Message], ran: Ran) -> None:
        """Delete what the function's answer says is done; the rest comes back after the visibility timeout."""
        known = {message.id for message in messages}
        said = verdict(ran.result.payload, ran.result.error_type, known, reports_items=self._reports_items)
        if isinstance(said, Failed):
            self._scale.failed()
            self._target.count("FailedInvokeEventCount", len(messages))
            self._kit.report(self._mapping.uuid, FUNCTION_FAILED)
            return
        failed = said.failed if isinstance(said, Partly) else frozenset()
        await self._delete(queue, [message for message in messages if message.id not in failed])
        self._target.count("FailedInvokeEventCount", len(failed))
        self._kit.report(self._mapping.uuid, OK)

    async def _delete(self, queue: _Queue, messages: Sequence[Message]) -> None:
        for start in range(0, len(messages), _MOST_AT_ONCE):
            entries = [
                {"Id": str(index), "ReceiptHandle": message.receipt}
                for index, message in enumerate(messages[start : start + _MOST_AT_ONCE])
            ]
            answer = await self._kit.services.call("sqs", "delete_message_batch", QueueUrl=queue.url, Entries=entries)
            self._target.count("DeletedEventCount", len(answer.get("Successful", ())))
            for failure in answer.get("Failed", ()):
                _log.warning("a message of %s could not be deleted: %s", self._mapping.source, failure)


def _loops_apart(messages: Sequence[Message], function: str) -> list[list[Message]]:
    """The batch without messages that are part of a loop, and those: they must not hold up the others."""
    groups: tuple[list[Message], list[Message]] = ([], [])
    for message in messages:
        groups[lineage.runs_before(message.trace_id, function) >= lineage.LIMIT].append(message)
    return [group for group in groups if group]
