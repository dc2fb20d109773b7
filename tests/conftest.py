"""What holds for every test."""

from __future__ import annotations

import signal
import threading


def pytest_configure() -> None:
    """Ctrl-C reaches the programs under test even where the tests run in the background.

    A shell starts background jobs with SIGINT ignored, and what is ignored stays so in every child.
    """
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
