"""boto3 clients for a target, and AWS's errors as ours. With the two clients, the only place that knows boto3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, CredentialProvider, DeferredRefreshableCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
)

from core.errors import Conflict, InvalidInput, NotAllowed, NotFound, PenstockError, Unavailable
from deploy.targets import Target

CONNECT_TIMEOUT_S = 2.0
READ_TIMEOUT_S = 60.0
INVOKE_TIMEOUT_S = 910.0  # a function may take 900 seconds (Source: Lambda quotas)
_ATTEMPTS = 3
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

_DENIED = (
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
_BUSY = ("TooManyRequestsException", "Throttling", "ThrottlingException", "RequestLimitExceeded")
_NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, NoRegionError)
_NO_ANSWER = (ConnectionError, HTTPClientError)

_CONFLICT = "ResourceConflictException"

ErrorByCode = dict[str, Callable[..., PenstockError]]
_BY_CODE: ErrorByCode = {
    "ResourceNotFoundException": NotFound,
    _CONFLICT: Conflict,
}


def session(target: Target) -> boto3.session.Session:
    """A session with the target's region and credentials; its role is assumed through STS and renewed by itself."""
    made = boto3.session.Session(
        aws_access_key_id=target.access_key_id,
        aws_secret_access_key=target.secret_access_key,
        aws_session_token=target.session_token,
        region_name=target.region,
    )
    return _assumed(target, target.role_arn, made) if target.role_arn else made


def client(target: Target, made: boto3.session.Session, service: str, *, once: bool = False) -> Any:
    """A client of `service`. It connects within seconds or fails, and tries 3 times; `once`: never a second time."""
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=INVOKE_TIMEOUT_S if once else READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": 1 if once else _ATTEMPTS},
        user_agent_extra="penstock",
        proxies={} if _is_local(target) else None,
    )
    make: Any = made.client  # its type knows only literal service names
    return make(service, endpoint_url=target.endpoint_url, config=config)


@contextmanager
def calling(target: Target, operation: str, thing: str, special: ErrorByCode | None = None) -> Iterator[None]:
    """The errors of one AWS call as ours: where it was, what the service said, what to try. `special` wins by code."""
    where = f"target {target.name}, {operation} {thing}"
    try:
        yield
    except ClientError as error:
        raise _answered(error, where, special or {}) from error
    except ParamValidationError as error:
        raise InvalidInput("a value has the wrong form", where=where, why=" ".join(str(error).split())) from error
    except _NO_CREDENTIALS as error:
        hint = "set AWS credentials and a region in the environment, or roleArn and region in the target"
        raise NotAllowed("there are no usable AWS credentials", where=where, why=str(error), hint=hint) from error
    except _NO_ANSWER as error:
        place = target.endpoint_url or f"AWS in {target.region}"
        hint = "check that it is up: penstock up" if target.endpoint_url else "check the network"
        raise Unavailable(f"{place} does not answer", where=where, why=str(error), hint=hint) from error
    except BotoCoreError as error:
        raise PenstockError("the call failed", where=where, why=str(error)) from error


def _answered(error: ClientError, where: str, special: ErrorByCode) -> PenstockError:
    """The error for an answer that says no."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    said = str(error.response.get("Error", {}).get("Message", "")) or code
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if status == 409:
        code = _CONFLICT  # some services that speak Lambda's protocol give it another name
    kind = special.get(code) or _BY_CODE.get(code)
    if kind is not None:
        return kind(said, where=where)
    if code in _DENIED or status in (401, 403):
        return NotAllowed("access denied", where=where, why=said, hint="check the credentials and their permissions")
    if status == 501:
        return NotAllowed("this target does not know the operation", where=where, why=said)
    if code in _BUSY or status == 429 or status >= 500:
        return Unavailable("the service is busy or failing", where=where, why=f"{code}: {said}")
    if 400 <= status < 500:
        return InvalidInput(said, where=where, why=code)
    return PenstockError("the call failed", where=where, why=f"{code}: {said}")


class _AssumedRole(CredentialProvider):
    """Credentials of an assumed role, fetched at the first call and again before they expire."""

    METHOD = "assume-role"

    def __init__(self, fetcher: AssumeRoleCredentialFetcher) -> None:
        super().__init__()
        self._fetcher = fetcher

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(method=self.METHOD, refresh_using=self._fetcher.fetch_credentials)


def _assumed(target: Target, role_arn: str, source: boto3.session.Session) -> boto3.session.Session:
    credentials = source.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=partial(_sts, target, source),
        source_credentials=credentials,
        role_arn=role_arn,
        extra_args={"RoleSessionName": "penstock"},
    )
    inner = botocore.session.get_session()
    inner.get_component("credential_provider").providers.insert(0, _AssumedRole(fetcher))
    return boto3.session.Session(botocore_session=inner, region_name=target.region)


def _sts(target: Target, source: boto3.session.Session, service: str, **_: Any) -> Any:
    return client(target, source, service)


def _is_local(target: Target) -> bool:
    """A service on this machine is reached directly, whatever proxy the environment names."""
    return target.endpoint_url is not None and urlsplit(target.endpoint_url).hostname in _LOOPBACK
