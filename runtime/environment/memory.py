"""How much memory an environment's process has used at most, read from /proc, but not for every invocation."""

from __future__ import annotations

from pathlib import Path

_EVERY_S = 1.0


class MemoryGauge:
    """Remembers the last reading; a new one is taken at most once a second."""

    def __init__(self) -> None:
        self._pid: int | None = None
        self._read_at = 0.0
        self._peak_mb = 0

    def peak_mb(self, pid: int | None, now: float) -> int:
        """The peak resident size in MB at `now` (monotonic seconds); the last known when there is no process."""
        if pid is not None and (pid != self._pid or now - self._read_at >= _EVERY_S):
            self._pid, self._read_at = pid, now
            self._peak_mb = _peak_mb(pid) or self._peak_mb
        return self._peak_mb


def _peak_mb(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return -(-int(line.split()[1]) // 1024)
    except OSError:
        pass
    return 0
