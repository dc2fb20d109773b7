"""Names of Unix sockets."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from core.socket_path import short


def test_a_short_path_stays_as_it_is(tmp_path: Path) -> None:
    """Absolute."""
    path = Path("/run/penstock/runner-1.sock")
    assert short(path) == "/run/penstock/runner-1.sock"


def test_a_long_path_is_named_from_here(tmp_path: Path) -> None:
    """So that a deep home works: processes start in the directory that holds the socket."""
    deep = tmp_path.joinpath(*["d" * 30] * 5)
    deep.mkdir(parents=True)
    before = Path.cwd()
    os.chdir(deep)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
            one.bind(short(deep / "runner-1.sock"))
        assert (deep / "runner-1.sock").is_socket()
    finally:
        os.chdir(before)
