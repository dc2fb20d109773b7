"""Which function of the template an ARN, an integration's URI or a name means."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sam.local.model import LocalFunction

_IN_ARN = re.compile(r":function:([A-Za-z0-9-_]+)")


class Targets:
    """The functions of one template."""

    def __init__(self, functions: Sequence[LocalFunction]) -> None:
        self.functions = {function.logical_id: function for function in functions}
        self._by_name = {function.function_name: function.logical_id for function in functions}

    def find(self, text: object) -> str:
        """The logical id of the function that `text` means; "" when it is none of the template's."""
        if not isinstance(text, str):
            return ""
        match = _IN_ARN.search(text)
        name = match.group(1) if match is not None else text
        return self._by_name.get(name, name if name in self.functions else "")
