"""What these commands end with when they cannot do what was asked: exit code 1, as SAM CLI's do."""

from __future__ import annotations

from core.errors import PenstockError


class LocalError(PenstockError):
    """The template, an option's value or the machine does not allow it. Source: SAM CLI ends such a command with 1."""

    exit_code = 1
