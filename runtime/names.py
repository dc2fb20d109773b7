"""How functions are named: the forms a FunctionName may take, and the ARNs that are answered."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runtime.api.errors import ApiError, invalid

LATEST = "$LATEST"

_REFERENCE = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:(?P<region>[a-z0-9-]+):)?"
    r"(?:(?P<account>\d{12}):)?"
    r"(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_]+)"
    r"(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?"
)
MAX_NAME = 64


@dataclass(frozen=True, slots=True)
class Scope:
    """The account and region this server answers for."""

    account: str
    region: str

    def arn(self, name: str, qualifier: str | None = None) -> str:
        """`arn:aws:lambda:<region>:<account>:function:<name>[:<qualifier>]`."""
        base = f"arn:aws:lambda:{self.region}:{self.account}:function:{name}"
        return base if qualifier is None else f"{base}:{qualifier}"


@dataclass(frozen=True, slots=True)
class Reference:
    """A function, and the version or alias that was asked for (None: unqualified)."""

    name: str
    qualifier: str | None = None


def parse(text: str, scope: Scope, qualifier: str | None = None) -> Reference:
    """What `text` names: `name`, `name:qualifier`, a partial or a full ARN; `qualifier` is the request's own.

    Raises:
        ApiError: not a name; two different qualifiers; another account or region; a name of more than 64 characters.

    Source: reference §6, "FunctionName forms".
    """
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise ApiError(
            "ValidationException",
            f"1 validation error detected: Value '{text}' at 'functionName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: " + _REFERENCE_PATTERN,
        )
    region, account, name, own = match["region"], match["account"], match["name"], match["qualifier"]
    if len(name) > MAX_NAME:
        raise ApiError(
            "ValidationException",
            f"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAX_NAME}",
        )
    if (region is not None and region != scope.region) or (account is not None and account != scope.account):
        raise ApiError("ResourceNotFoundException", f"Function not found: {text}")
    if own is not None and qualifier is not None and own != qualifier:
        raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
    return Reference(name, own if own is not None else qualifier)


_REFERENCE_PATTERN = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
)


def is_version(qualifier: str) -> bool:
    """Whether `qualifier` is a version (`$LATEST` or a number) and not an alias."""
    return qualifier == LATEST or qualifier.isdigit()
