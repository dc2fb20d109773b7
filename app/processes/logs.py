"""One format for the logs of our processes: UTC time, level, name, text; to stderr, which the supervisor keeps."""

from __future__ import annotations

import logging
import os
import sys
import time

from app import wiring
from app.settings import Settings
from core.secrets import Redactor


class _Redacting(logging.Formatter):
    """Masks every secret this process knows of, in tracebacks too."""

    def __init__(self, here: Settings) -> None:
        logging.Formatter.converter = time.gmtime
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
        self._redactor = Redactor(wiring.secrets_of(here, os.environ))

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.redact(super().format(record))


def begin(here: Settings) -> None:
    """Log from now on, at the level the settings name."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacting(here))
    logging.basicConfig(level=here.log_level, handlers=[handler], force=True)
    for chatty in ("httpx", "httpcore", "alembic", "botocore", "urllib3", "prefect"):
        logging.getLogger(chatty).setLevel("WARNING")
