"""Messages of `application/vnd.amazon.eventstream`, as a server writes them. Pure.

Source: Smithy, "Amazon Event Stream Specification".
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7
_PRELUDE_BYTES, _CHECKSUM_BYTES = 12, 4


def message(event_type: str, content_type: str, payload: bytes) -> bytes:
    """One event."""
    headers = {":event-type": event_type, ":content-type": content_type, ":message-type": "event"}
    return encode(headers, payload)


def encode(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message: lengths, their checksum, headers, payload, the checksum of it all."""
    block = b"".join(
        struct.pack(f"!B{len(name)}sBH{len(value)}s", len(name), name.encode(), _STRING, len(value), value.encode())
        for name, value in headers.items()
    )
    total = _PRELUDE_BYTES + len(block) + len(payload) + _CHECKSUM_BYTES
    prelude = struct.pack("!II", total, len(block))
    head = prelude + struct.pack("!I", zlib.crc32(prelude)) + block + payload
    return head + struct.pack("!I", zlib.crc32(head))
