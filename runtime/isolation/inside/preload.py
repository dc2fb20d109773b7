"""What the template imports ahead of handlers, and how much memory that takes."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterable

_PAGE_KB = os.sysconf("SC_PAGESIZE") // 1024
_BY_EVERY_HANDLER = (
    "awslambdaric", "awslambdaric.lambda_config", "awslambdaric.lambda_context", "awslambdaric.lambda_literals",
    "awslambdaric.lambda_runtime_exception", "awslambdaric.lambda_runtime_hooks_runner",
    "awslambdaric.lambda_runtime_log_utils", "awslambdaric.lambda_runtime_marshaller", "http", "logging", "simplejson",
    "snapshot_restore_py",
)  # fmt: skip
"""What the Runtime API client imports; the modules of its own that read the environment are imported after the fork."""
_BY_MANY = (
    "boto3", "boto3.s3.inject", "boto3.s3.transfer", "boto3.dynamodb.conditions", "boto3.dynamodb.transform",
    "boto3.dynamodb.types", "asyncio", "csv", "dataclasses", "decimal", "encodings.idna", "zoneinfo",
)  # fmt: skip


def preload(proc: str, *, everything: bool) -> tuple[int, int]:
    """KB resident with what every handler needs, and after that with what many need, too, if that is wanted.

    `proc` is where /proc is found.
    """
    _import(_BY_EVERY_HANDLER)
    base_kb = _resident_kb(proc)
    if everything:
        _import(_BY_MANY)
    return base_kb, _resident_kb(proc)


def _import(names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(ImportError):  # not installed
            __import__(name)
    gc.collect()


def _resident_kb(proc: str) -> int:
    with open(f"{proc}/self/statm", encoding="utf-8") as file:
        return int(file.read().split()[1]) * _PAGE_KB
