"""What a function's answer says about its batch: all done, some failed, or all failed. Pure. Source: reference §12."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from runtime.reading import json_of


@dataclass(frozen=True, slots=True)
class Succeeded:
    """Every record is done."""


@dataclass(frozen=True, slots=True)
class Partly:
    """Every record is done but those with these identifiers (at least one)."""

    failed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Failed:
    """No record is done; `reason` says why."""

    reason: str


Verdict = Succeeded | Partly | Failed


def verdict(payload: bytes, error_type: str, known: Collection[str], *, reports_items: bool) -> Verdict:
    """What became of a batch whose records have the identifiers `known`.

    `reports_items` is whether the mapping has ReportBatchItemFailures: without it the answer's contents mean nothing.
    """
    if error_type:
        return Failed(error_type)
    if not reports_items:
        return Succeeded()
    try:
        answer = json_of(payload) if payload else None
    except ValueError:
        return Failed("the answer is not JSON")
    if answer is None:
        return Succeeded()
    if not isinstance(answer, dict):
        return Failed("the answer is not an object")
    items = answer.get("batchItemFailures")
    if items is None:
        return Succeeded()
    if not isinstance(items, list):
        return Failed("batchItemFailures is not a list")
    return _reported(items, known)


def _reported(items: list[object], known: Collection[str]) -> Verdict:
    failed = set()
    for item in items:
        identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
        if not isinstance(identifier, str) or not identifier:
            return Failed("an item of batchItemFailures has no itemIdentifier")
        if identifier not in known:
            return Failed(f"batchItemFailures names {identifier}, which is not in the batch")
        failed.add(identifier)
    return Partly(frozenset(failed)) if failed else Succeeded()
