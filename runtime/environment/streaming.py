"""A result that the runtime sends piece by piece. Source: reference §1, "Response streaming"."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping

from runtime.http import Request
from runtime.invoke import results
from runtime.invoke.invocation import Invocation
from runtime.invoke.results import Result

MAX_STREAMED_BYTES = 209_715_200
"""Source: reference §8, "streamed response 200 MB"."""
_ERROR_TYPE = "lambda-runtime-function-error-type"
_ERROR_BODY = "lambda-runtime-function-error-body"
_GRACE_S = 0.05
"""A response that breaks off because its process ended: that is told of meanwhile, and is the better reason."""


async def relay(request: Request, invocation: Invocation) -> Result:
    """What the runtime's streamed response came to: collected, or without a payload when the caller took the pieces."""
    assert request.incoming is not None
    push = None
    if invocation.on_stream is not None:
        push = invocation.on_stream(request.headers.get("content-type", "application/octet-stream"))
    limit = results.MAX_RESPONSE_BYTES if push is None else MAX_STREAMED_BYTES
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
    except ConnectionResetError:
        await asyncio.sleep(_GRACE_S)
        return results.broken(invocation.request_id, "Runtime.TruncatedResponse", "Response stream was truncated")
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
