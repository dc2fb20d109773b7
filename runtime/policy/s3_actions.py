"""Which permissions a request to S3 needs. Pure.

Source: S3 user guide, "Required permissions for Amazon S3 API operations".
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote

from runtime.gateway.addresses import bucket_of
from runtime.http import Request
from runtime.policy.service_resources import ServiceNeed

_Table = Mapping[tuple[str, str], str]

_BUCKET: _Table = {
    ("GET", ""): "ListBucket",
    ("HEAD", ""): "ListBucket",
    ("PUT", ""): "CreateBucket",
    ("DELETE", ""): "DeleteBucket",
    ("GET", "location"): "GetBucketLocation",
    ("GET", "versions"): "ListBucketVersions",
    ("GET", "uploads"): "ListBucketMultipartUploads",
    ("GET", "versioning"): "GetBucketVersioning",
    ("PUT", "versioning"): "PutBucketVersioning",
    ("GET", "policy"): "GetBucketPolicy",
    ("PUT", "policy"): "PutBucketPolicy",
    ("DELETE", "policy"): "DeleteBucketPolicy",
    ("GET", "notification"): "GetBucketNotification",
    ("PUT", "notification"): "PutBucketNotification",
    ("GET", "acl"): "GetBucketAcl",
    ("PUT", "acl"): "PutBucketAcl",
    ("GET", "tagging"): "GetBucketTagging",
    ("PUT", "tagging"): "PutBucketTagging",
    ("DELETE", "tagging"): "PutBucketTagging",
    ("GET", "lifecycle"): "GetLifecycleConfiguration",
    ("PUT", "lifecycle"): "PutLifecycleConfiguration",
    ("DELETE", "lifecycle"): "PutLifecycleConfiguration",
    ("GET", "cors"): "GetBucketCORS",
    ("PUT", "cors"): "PutBucketCORS",
    ("DELETE", "cors"): "PutBucketCORS",
    ("GET", "encryption"): "GetEncryptionConfiguration",
    ("PUT", "encryption"): "PutEncryptionConfiguration",
    ("DELETE", "encryption"): "PutEncryptionConfiguration",
    ("GET", "website"): "GetBucketWebsite",
    ("PUT", "website"): "PutBucketWebsite",
    ("DELETE", "website"): "DeleteBucketWebsite",
    ("GET", "publicAccessBlock"): "GetBucketPublicAccessBlock",
    ("PUT", "publicAccessBlock"): "PutBucketPublicAccessBlock",
    ("DELETE", "publicAccessBlock"): "PutBucketPublicAccessBlock",
}
_OBJECT: _Table = {
    ("GET", ""): "GetObject",
    ("HEAD", ""): "GetObject",
    ("PUT", ""): "PutObject",
    ("DELETE", ""): "DeleteObject",
    ("GET", "versionId"): "GetObjectVersion",
    ("HEAD", "versionId"): "GetObjectVersion",
    ("DELETE", "versionId"): "DeleteObjectVersion",
    ("GET", "acl"): "GetObjectAcl",
    ("PUT", "acl"): "PutObjectAcl",
    ("GET", "tagging"): "GetObjectTagging",
    ("PUT", "tagging"): "PutObjectTagging",
    ("DELETE", "tagging"): "DeleteObjectTagging",
    ("POST", "uploads"): "PutObject",
    ("PUT", "uploadId"): "PutObject",
    ("POST", "uploadId"): "PutObject",
    ("GET", "uploadId"): "ListMultipartUploadParts",
    ("DELETE", "uploadId"): "AbortMultipartUpload",
    ("POST", "select"): "GetObject",
    ("POST", "restore"): "RestoreObject",
}
_PLAIN = frozenset(
    {
        "list-type", "prefix", "delimiter", "max-keys", "marker", "continuation-token", "start-after", "fetch-owner",
        "encoding-type", "x-id", "partNumber", "key-marker", "version-id-marker", "upload-id-marker", "max-uploads",
        "max-parts", "part-number-marker", "select-type",
    }
)  # fmt: skip
"""Query parameters that change nothing about what is done to what."""


def s3_needs(request: Request) -> tuple[ServiceNeed, ...] | None:
    """All the permissions that the request needs; None when they cannot be told."""
    bucket, key = _target(request)
    if not bucket:
        return (ServiceNeed("s3:ListAllMyBuckets", "*"),) if request.method == "GET" else None
    about = _about(request.query)
    if about is None:
        return None
    arn = f"arn:aws:s3:::{bucket}"
    if (request.method, about, key) == ("POST", "delete", ""):
        return (ServiceNeed("s3:DeleteObject", None),)
    action = (_OBJECT if key else _BUCKET).get((request.method, about))
    if action is None:
        return None
    found = [ServiceNeed(f"s3:{action}", f"{arn}/{key}" if key else arn)]
    source = request.headers.get("x-amz-copy-source")
    if source and action == "PutObject":
        path = unquote(source.partition("?")[0]).lstrip("/")
        found.append(ServiceNeed("s3:GetObject", path if path.startswith("arn:") else f"arn:aws:s3:::{path}"))
    return tuple(found)


def _target(request: Request) -> tuple[str, str]:
    """Bucket and key; each empty when there is none."""
    path = unquote(request.path).lstrip("/")
    hosted = bucket_of(request.headers.get("host", ""))
    if hosted:
        return hosted, path
    bucket, _, key = path.partition("/")
    return bucket, key


def _about(query: str) -> str | None:
    """The one thing beside the object or bucket itself that the query names; empty for none; None for several."""
    names = {name for name, _ in parse_qsl(query, keep_blank_values=True)} - _PLAIN
    names = {name for name in names if not name.lower().startswith(("x-amz-", "response-"))}
    if len(names) > 1:
        return None
    return next(iter(names), "")
