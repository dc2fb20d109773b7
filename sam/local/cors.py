"""CORS settings in the three forms templates write them in.

Source: SAM CorsConfiguration of AWS::Serverless::Api (texts, quoted once more for API Gateway) and of
AWS::Serverless::HttpApi (lists), Lambda's Cors of a function URL (lists).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sam.local.model import Cors

ANY = ("*",)


def read_cors(value: Any) -> Cors | None:
    """The settings; None when there are none. `true` and a text alone are about the origins."""
    if value is True:
        return Cors(origins=ANY)
    if isinstance(value, str) and value:
        return Cors(origins=_texts(value))
    if not isinstance(value, Mapping):
        return None
    folded = {str(key).lower(): item for key, item in value.items()}
    age = folded.get("maxage")
    return Cors(
        origins=_texts(folded.get("alloworigins", folded.get("alloworigin"))),
        methods=tuple(method.upper() for method in _texts(folded.get("allowmethods"))),
        headers=_texts(folded.get("allowheaders")),
        expose=_texts(folded.get("exposeheaders")),
        max_age_s=int(str(age).strip("'")) if str(age).strip("'").isdecimal() else None,
        credentials=folded.get("allowcredentials") in (True, "true", "'true'"),
    )


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.strip().strip("'").split(",")
    if not isinstance(value, list):
        return ()
    return tuple(text for text in (str(item).strip().strip("'") for item in value) if text)
