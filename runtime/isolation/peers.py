"""Which user of this machine is at the other end of a connection from this machine. Linux only.

Asked of the kernel by its socket diagnostics (about 20 µs); read from /proc/net where those are not available.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from pathlib import Path

_NETLINK_SOCK_DIAG = 4
_BY_FAMILY, _REQUEST = 20, 1
_ERROR = 2
_TCP = 6
_ANY_COOKIE = b"\xff" * 8
_HEADER = struct.Struct("=IHHII")
_QUERY = struct.Struct("=BBBBI")
_USER_AT = _HEADER.size + 4 + 48 + 12
"""Of struct inet_diag_msg: after family, state, timer, retrans; the socket's id; expires and two queues."""


def peer_uid(peer: tuple[str, int], here: tuple[str, int]) -> int | None:
    """The user whose socket `peer` (IPv4 address, port) is, connected to `here`; None when there is no such socket."""
    try:
        return _diagnosed(peer, here)
    except OSError:
        return _listed(peer, here)


def _diagnosed(peer: tuple[str, int], here: tuple[str, int]) -> int | None:
    identity = struct.pack("!HH", peer[1], here[1])
    identity += socket.inet_aton(peer[0]) + bytes(12) + socket.inet_aton(here[0]) + bytes(12) + bytes(4) + _ANY_COOKIE
    query = _QUERY.pack(socket.AF_INET, _TCP, 0, 0, 0xFFFF_FFFF) + identity
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(1.0)
        kernel.send(_HEADER.pack(_HEADER.size + len(query), _BY_FAMILY, _REQUEST, 1, 0) + query)
        answer = kernel.recv(4096)
    if _HEADER.unpack_from(answer)[1] == _ERROR:
        number = -struct.unpack_from("=i", answer, _HEADER.size)[0]
        if number == 2:
            return None
        raise OSError(number, os.strerror(number))
    user: int = struct.unpack_from("=I", answer, _USER_AT)[0]
    return user


def _listed(peer: tuple[str, int], here: tuple[str, int]) -> int | None:
    wanted = [_as_listed(peer), _as_listed(here)]
    with contextlib.suppress(OSError):
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1:3] == wanted:
                return int(fields[7])
    return None


def _as_listed(address: tuple[str, int]) -> str:
    (number,) = struct.unpack("=I", socket.inet_aton(address[0]))
    return f"{number:08X}:{address[1]:04X}"
