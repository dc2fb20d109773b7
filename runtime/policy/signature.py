"""AWS Signature Version 4, the receiving side: who signed a request, and whether with that secret. Pure.

Source: IAM user guide, "Create a signed AWS API request".
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote

from runtime.http import Request

_ALGORITHM = "AWS4-HMAC-SHA256"
_SAFE = "-_.~"


@dataclass(frozen=True, slots=True)
class Signature:
    """What a request says about its signature."""

    access_key_id: str
    date: str
    region: str
    service: str
    headers: tuple[str, ...]
    """Names of what is signed, lower case, in order."""
    value: str
    presigned: bool = False

    @property
    def scope(self) -> str:
        """`20261123/us-east-1/lambda/aws4_request`."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def access_key_id(request: Request) -> str:
    """The key that the request says it was signed with; empty for none. Made to be fast."""
    header = request.headers.get("authorization")
    if header is not None:
        at = header.find("Credential=")
        return header[at + 11 : header.find("/", at)] if at >= 0 else ""
    at = request.query.find("X-Amz-Credential=")
    if at < 0:
        return ""
    return unquote(request.query[at + 17 :].partition("&")[0]).partition("/")[0]


def read(request: Request) -> Signature | None:
    """The signature, from the header or from the query of a presigned address; None: not understood."""
    header = request.headers.get("authorization", "")
    if header.startswith(_ALGORITHM):
        fields = dict(part.strip().partition("=")[::2] for part in header.removeprefix(_ALGORITHM).split(","))
        return _signature(fields, "Credential", "SignedHeaders", "Signature", presigned=False)
    if "X-Amz-Credential=" in request.query:
        fields = dict(parse_qsl(request.query))
        return _signature(fields, "X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature", presigned=True)
    return None


def _signature(
    fields: dict[str, str], credential: str, headers: str, value: str, *, presigned: bool
) -> Signature | None:
    parts = fields.get(credential, "").split("/")
    if len(parts) != 5 or value not in fields:
        return None
    key, date, region, service, _ = parts
    return Signature(key, date, region, service, tuple(fields.get(headers, "").split(";")), fields[value], presigned)


def verified(request: Request, signature: Signature, secret: str, token: str = "") -> bool:
    """Whether `request` was signed with `secret` (and, for temporary credentials, carries their `token`)."""
    query = parse_qsl(request.query, keep_blank_values=True)
    named = dict(query) if signature.presigned else {}
    if token and token not in {request.headers.get("x-amz-security-token"), named.get("X-Amz-Security-Token")}:
        return False
    at = named.get("X-Amz-Date") or request.headers.get("x-amz-date", "")
    canonical = hashlib.sha256(_canonical(request, signature, query).encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in (*signature.scope.split("/"), f"{_ALGORITHM}\n{at}\n{signature.scope}\n{canonical}"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.compare_digest(key.hex(), signature.value)


def _canonical(request: Request, signature: Signature, query: list[tuple[str, str]]) -> str:
    escaped = sorted((quote(name, safe=_SAFE), quote(value, safe=_SAFE)) for name, value in query)
    listed = "&".join(f"{name}={value}" for name, value in escaped if name != "X-Amz-Signature")
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signature.headers)
    path = request.path or "/"
    if signature.service != "s3":  # Source: "URI-encode each path segment twice (except for Amazon S3)"
        path = quote(path, safe=f"/{_SAFE}")
    return "\n".join((request.method, path, listed, headers, ";".join(signature.headers), _payload(request, signature)))


def _payload(request: Request, signature: Signature) -> str:
    """The digest of the body, as the client names it when it is one to name it."""
    if signature.presigned and signature.service == "s3":
        return "UNSIGNED-PAYLOAD"
    return request.headers.get("x-amz-content-sha256") or hashlib.sha256(request.body).hexdigest()
