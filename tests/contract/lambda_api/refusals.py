"""What a refusal says."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError


def refused(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    """The code and the HTTP status of an error."""
    answer: Any = error.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]
