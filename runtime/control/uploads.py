"""Packages that lie in the server's own home: for whoever started a server for itself, with code of any size.

They are named like objects in S3, in a bucket that no one can make there.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from runtime.control.sources import Aws

BUCKET = "uploads.penstock.local"
_NAME = re.compile(r"[A-Za-z0-9-]+\.zip")


class NoSuchUpload(Exception):
    """Worded as S3's own refusals are."""

    response = {"Error": {"Code": "NoSuchKey", "Message": "The specified key does not exist."}}  # noqa: RUF012


class Uploads:
    """Answers for `directory`; everything else is asked of `aws`."""

    def __init__(self, directory: Path, aws: Aws) -> None:
        self._directory = directory
        self._aws = aws

    async def call(self, service: str, operation: str, **parameters: Any) -> Any:
        """See `Aws`; an upload's Body is the open file.

        Raises:
            NoSuchUpload: there is no such file.
        """
        if (service, operation, parameters.get("Bucket")) != ("s3", "get_object", BUCKET):
            return await self._aws.call(service, operation, **parameters)
        name = str(parameters.get("Key"))
        if not _NAME.fullmatch(name):
            raise NoSuchUpload(name)
        try:
            return {"Body": (self._directory / name).open("rb")}
        except OSError as problem:
            raise NoSuchUpload(name) from problem
