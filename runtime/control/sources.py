"""Where code comes from: in the request itself, or from a bucket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from runtime.api.errors import invalid
from runtime.catalog.code import BadPackage, CodeStore
from runtime.control.settling import BAD_ZIP

Parameters = Mapping[str, Any]
_BUCKET = ("S3Bucket", "S3Key", "S3ObjectVersion")
_ALL = ("ZipFile", *_BUCKET, "ImageUri", "SourceKMSKeyArn")


class Aws(Protocol):
    """Who calls other services of this endpoint."""

    async def call(self, service: str, operation: str, **parameters: Any) -> Any:
        """The answer; a refusal is an exception with botocore's `response`."""
        ...


@dataclass(frozen=True, slots=True)
class Package:
    """A zip that is in the code store."""

    digest: str
    size: int
    unzipped_size: int


class Sources:
    """Takes packages into the code store."""

    def __init__(self, code: CodeStore, aws: Aws) -> None:
        self._code = code
        self._aws = aws

    async def take(self, given: Parameters) -> Package:
        """The zip that `given` (AWS's FunctionCode or LayerVersionContentInput) carries or points at, kept.

        Raises:
            ApiError: none or more than one source; no such object; no zip, or too large a one.
        """
        content = await self._content(given)
        try:
            digest = await asyncio.to_thread(self._code.put, content)
        except BadPackage as error:
            text = str(error)
            raise invalid(text if text.startswith("Unzipped size") else BAD_ZIP) from error
        return Package(digest, len(content), self._code.unzipped_size(digest))

    async def _content(self, given: Parameters) -> bytes:
        named = [name for name in _ALL if given.get(name)]
        if not named:
            raise invalid("Please provide a source for function code.")
        if "ZipFile" in named:
            if len(named) > 1:
                raise invalid("Please do not provide other FunctionCode parameters when providing a ZipFile.")
            return bytes(given["ZipFile"])
        if given.get("S3ObjectStorageMode", "COPY") != "COPY":
            raise invalid("S3ObjectStorageMode REFERENCE is not supported by this local runtime; it copies packages")
        if "SourceKMSKeyArn" in named:
            raise invalid("SourceKMSKeyArn is not supported by this local runtime; it does not decrypt packages")
        if "ImageUri" in named:
            raise invalid("Please do not provide ImageUri when updating or creating a Zip function.")
        if not given.get("S3Bucket") or not given.get("S3Key"):
            raise invalid("S3Bucket and S3Key are both needed to name a package in Amazon S3.")
        return await self._object(given)

    async def _object(self, given: Parameters) -> bytes:
        arguments = {"Bucket": given["S3Bucket"], "Key": given["S3Key"]}
        if given.get("S3ObjectVersion"):
            arguments["VersionId"] = given["S3ObjectVersion"]
        try:
            answer = await self._aws.call("s3", "get_object", **arguments)
            return await asyncio.to_thread(answer["Body"].read)
        except Exception as error:
            refusal = getattr(error, "response", {}).get("Error", {})
            if not refusal:
                raise
            code, message = refusal.get("Code", ""), refusal.get("Message", "")
            raise invalid(
                f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}"
            ) from error
