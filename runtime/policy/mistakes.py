"""What is wrong with a policy."""

from __future__ import annotations


class BadPolicy(Exception):
    """A document that is no policy; the text says why."""
