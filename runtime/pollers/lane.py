"""One of the lanes of a shard: gathers batches, invokes the function with one after the other, until each is done."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from runtime.pollers import discards, pieces
from runtime.pollers.batching import Batch
from runtime.pollers.discards import Discard
from runtime.pollers.envelopes import event
from runtime.pollers.kit import FUNCTION_FAILED, OK, Kit, Ran, Target
from runtime.pollers.pieces import Piece, Record, Rules, Step
from runtime.pollers.responses import Failed, verdict
from runtime.queues.delivery import Delivery
from runtime.queues.journal import Statement
from runtime.queues.senders import service_of

Conclude = Callable[[Sequence[Record], Iterable[Statement]], Awaitable[None]]
"""Keeps that records are done, together with what is told about them."""


class Lane:
    """Records come by `put`, in order."""

    def __init__(self, target: Target, kit: Kit, shard: str, conclude: Conclude) -> None:
        settings = target.mapping.settings
        self._target = target
        self._kit = kit
        self._shard = shard
        self._conclude = conclude
        self._size: int = settings.get("BatchSize", 100)
        self._window_s: float = settings.get("MaximumBatchingWindowInSeconds", 0)
        self._reports_items = "ReportBatchItemFailures" in settings.get("FunctionResponseTypes", ())
        self._destination: str = settings.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", "")
        self._rules = Rules(
            settings.get("MaximumRetryAttempts", pieces.FOR_EVER),
            settings.get("MaximumRecordAgeInSeconds", pieces.FOR_EVER),
            settings.get("BisectBatchOnFunctionError", False),
        )
        self._waiting: deque[Record] = deque()
        self._arrived = asyncio.Event()
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to work."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End after the invocation that runs, if any; what is left is read again."""
        self._stop.set()
        self._arrived.set()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    def abandon(self) -> None:
        """End at once."""
        if self._task is not None:
            self._task.cancel()

    def put(self, record: Record) -> None:
        """One more record."""
        self._waiting.append(record)
        self._arrived.set()

    async def _run(self) -> None:
        while not self._stop.is_set():
            batch = await self._gather()
            work = deque([Piece(tuple(batch.records))] if batch.records else [])
            misses = 0
            while work and not self._stop.is_set():
                step, missed = await self._work_on(work.popleft())
                work.extendleft(reversed(step.again))
                misses = misses + 1 if missed else 0
                if missed and step.again:
                    await _until(self._stop, pieces.wait_s(misses))

    async def _gather(self) -> Batch[Record]:
        """The next batch; possibly not complete when the lane is to stop."""
        batch: Batch[Record] = Batch(self._size, self._window_s)
        while not self._stop.is_set():
            now = self._kit.now()
            while self._waiting and batch.add(self._waiting[0], now):
                self._waiting.popleft()
            if batch.complete(now):
                break
            self._arrived.clear()
            await _until(self._arrived, batch.left_s(now) if batch.records else None)
        return batch

    async def _work_on(self, piece: Piece) -> tuple[Step, bool]:
        """What became of the piece, and whether that was a miss: a failure, or no invocation at all."""
        step = pieces.expired(piece, self._kit.now(), self._rules)
        if step.given_up is not None:
            await self._keep(step, self._kit.ids.uuid(), None)
            return step, False
        outcome = await self._target.invoke(event(record.encoded for record in piece.records))
        if not isinstance(outcome, Ran):
            self._kit.report(self._target.mapping.uuid, f"PROBLEM: {outcome.error.message}")
            return Step(again=(piece,)), True
        self._target.count("InvokedEventCount", len(piece.records))
        self._count_age(piece)
        known = {record.sequence for record in piece.records}
        result = outcome.result
        said = verdict(result.payload, result.error_type, known, reports_items=self._reports_items)
        step = pieces.after(piece, said, self._rules)
        await self._keep(step, outcome.request_id, outcome)
        self._kit.report(self._target.mapping.uuid, FUNCTION_FAILED if isinstance(said, Failed) else OK)
        return step, isinstance(said, Failed) or step.given_up is not None

    async def _keep(self, step: Step, request_id: str, ran: Ran | None) -> None:
        """Keep what is done and what is given up, and tell the destination, in one write."""
        given_up = step.given_up.records if step.given_up is not None else ()
        if not step.done and not given_up:
            return
        told = []
        if step.given_up is not None:
            self._target.count("DroppedEventCount", len(given_up))
            told = self._deliveries(step, step.given_up, request_id, ran)
        statements, kept = self._kit.outbox.keeping(told)
        await self._conclude((*step.done, *given_up), statements)
        kept()

    def _deliveries(self, step: Step, piece: Piece, request_id: str, ran: Ran | None) -> list[Delivery]:
        if not self._destination:
            return []
        mapping = self._target.mapping
        discard = Discard(
            request_id=request_id,
            function_arn=self._target.arn,
            condition=step.condition,
            invoke_count=piece.invokes,
            records=piece.records,
            shard=self._shard,
            stream_arn=mapping.source,
            at=self._kit.clock.now(),
        )
        if ran is not None:
            discard = replace(discard, result=ran.result, executed_version=ran.version)
        to_bucket = service_of(self._destination) == "s3"
        payload = event(record.encoded for record in piece.records) if to_bucket else None
        return [
            Delivery(
                target=self._destination,
                body=discards.failure_record(discard, payload),
                function=mapping.function,
                resource=f"{mapping.function}:{mapping.qualifier}" if mapping.qualifier else mapping.function,
                request_id=request_id,
                object_key=discards.object_key(discard, mapping.uuid) if to_bucket else "",
                mapping=mapping.uuid,
            )
        ]

    def _count_age(self, piece: Piece) -> None:
        """IteratorAge: of the last record of the batch, when the function is done with it."""
        now, mapping = self._kit.now(), self._target.mapping
        age_ms = max(0.0, now - piece.records[-1].arrived_at) * 1000
        self._kit.recorder.put_lambda("IteratorAge", mapping.function, age_ms, now, unit="Milliseconds")


async def _until(event: asyncio.Event, seconds: float | None) -> None:
    """Wait for `event`, no longer than `seconds`."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
