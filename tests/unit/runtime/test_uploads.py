"""Packages in the server's own home."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from runtime.control.uploads import BUCKET, NoSuchUpload, Uploads


class _Aws:
    async def call(self, service: str, operation: str, **parameters: Any) -> Any:
        return (service, operation, parameters)


def test_an_upload_is_read_from_the_home_and_nothing_else_is(tmp_path: Path) -> None:
    """Names with places in them are none; other buckets are asked for elsewhere."""
    directory = tmp_path / "uploads"
    directory.mkdir()
    (directory / "one-1.zip").write_bytes(b"zip")
    (tmp_path / "secret.zip").write_bytes(b"secret")
    uploads = Uploads(directory, _Aws())

    def ask(bucket: str, key: str) -> Any:
        return asyncio.run(uploads.call("s3", "get_object", Bucket=bucket, Key=key))

    with ask(BUCKET, "one-1.zip")["Body"] as body:
        assert body.read() == b"zip"
    for key in ("two.zip", "../secret.zip", "one-1.zip/..", ""):
        with pytest.raises(NoSuchUpload):
            ask(BUCKET, key)
    assert ask("other", "one-1.zip") == ("s3", "get_object", {"Bucket": "other", "Key": "one-1.zip"})
