"""How values of records lie in columns: times, words and documents as portable text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import PurePath
from typing import Any, TypeVar

from sqlalchemy import Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from core.units import iso, parse_iso
from store.records import ArtifactRef

W = TypeVar("W", bound=StrEnum)


def canonical(value: Any) -> str:
    """`value` as JSON with sorted keys, no blanks, ASCII only; times as `iso` writes them, paths as text.

    Raises:
        TypeError, ValueError: it holds something JSON cannot say (NaN among it).
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be kept as JSON")


class Time(TypeDecorator[datetime]):
    """An aware time as the text of `core.units.iso`, which sorts as the times do."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else iso(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else parse_iso(value)


class Json(TypeDecorator[Any]):
    """Plain data as canonical JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:  # noqa: ARG002
        return canonical(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else json.loads(value)


class Artifacts(TypeDecorator[tuple[ArtifactRef, ...]]):
    """Artifact references as a JSON list of [name, digest, size]."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[ArtifactRef, ...] | None, dialect: Dialect) -> str:  # noqa: ARG002
        return canonical([[ref.name, ref.digest, ref.size_bytes] for ref in value or ()])

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[ArtifactRef, ...]:  # noqa: ARG002
        return tuple(ArtifactRef(*entry) for entry in json.loads(value or "[]"))


class Word(TypeDecorator[W]):
    """One of an enumeration's words."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[W]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: W | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> W | None:  # noqa: ARG002
        return None if value is None else self.words(value)
