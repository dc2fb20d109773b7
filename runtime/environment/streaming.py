"""A result that the runtime sends piece by piece. Source: reference §1, "Response streaming"."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from runtime.http import Request
from runtime.invoke import results
from runtime.invoke.invocation import Push
from runtime.invoke.results import Result

MAX_STREAMED_BYTES = 209_715_200
"""Source: reference §8, "streamed response 200 MB"."""
_ERROR_TYPE = "lambda-runtime-function-error-type"
_ERROR_BODY = "lambda-runtime-function-error-body"


class Truncated(Exception):
    """The runtime broke its response off."""


async def relay(request: Request, push: Push | None) -> Result:
    """What the runtime's streamed response came to: collected when there is no `push`, else without a payload.

    Raises:
        Truncated: the connection ended before the response did.
    """
    assert request.incoming is not None
    limit = results.MAX_PAYLOAD_BYTES if push is None else MAX_STREAMED_BYTES
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in request.incoming:
            size += len(piece)
            if size > limit:
                continue
            if push is None:
                pieces.append(piece)
            else:
                await push(piece)
    except ConnectionResetError as error:
        raise Truncated from error
    if size > limit:
        return results.too_large(size, limit)
    return _ended(request.headers, b"".join(pieces))


def _ended(headers: Mapping[str, str], payload: bytes) -> Result:
    """The result, with the error that the trailers tell of, if any."""
    error_type = headers.get(_ERROR_TYPE, "")
    if not error_type:
        return Result(payload)
    try:
        body = base64.b64decode(headers.get(_ERROR_BODY, ""), validate=True)
    except (binascii.Error, ValueError):
        body = b""
    return Result(body or payload, error_type)
