"""The name of a Unix socket, short enough for the kernel."""

from __future__ import annotations

import os
from pathlib import Path

LONGEST = 107  # bytes, on Linux; 103 elsewhere


def short(path: Path) -> str:
    """`path` as it is, or relative to the working directory when it is longer than a socket's name may be."""
    text = str(path)
    return text if len(os.fsencode(text)) <= LONGEST - 4 else os.path.relpath(text)
