"""What AWS answers becomes one of our errors: where it was, what was said, what to try."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from core.errors import Conflict, InvalidInput, NotAllowed, NotFound, PenstockError, Unavailable
from deploy import aws
from deploy.lambda_client import LambdaClient
from deploy.ports import AlreadyExists, RevisionMismatch
from deploy.targets import Target

LOCAL = Target("local", "eu-west-1", "http://127.0.0.1:1", access_key_id="x", secret_access_key="y")


def answer(code: str, status: int, message: str = "said so") -> ClientError:
    said: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, "UpdateAlias")


def caught(error: Exception, special: aws.ErrorByCode | None = None) -> PenstockError:
    with pytest.raises(PenstockError) as found, aws.calling(LOCAL, "UpdateAlias", "orders:live", special):
        raise error
    return found.value


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ResourceNotFoundException", 404, NotFound),
        ("ResourceConflictException", 409, Conflict),
        ("ConflictException", 409, Conflict),
        ("AccessDeniedException", 403, NotAllowed),
        ("ExpiredTokenException", 400, NotAllowed),
        ("TooManyRequestsException", 429, Unavailable),
        ("Throttling", 400, Unavailable),
        ("ServiceException", 500, Unavailable),
        ("NotImplementedException", 501, NotAllowed),
        ("InvalidParameterValueException", 400, InvalidInput),
        ("Odd", 0, PenstockError),
    ],
)
def test_an_answer_that_says_no_has_its_kind(code: str, status: int, kind: type[PenstockError]) -> None:
    error = caught(answer(code, status))

    assert type(error) is kind
    assert error.where == "target local, UpdateAlias orders:live"
    assert "said so" in str(error)


def test_a_call_may_give_a_code_a_kind_of_its_own() -> None:
    special: aws.ErrorByCode = {
        "PreconditionFailedException": RevisionMismatch,
        "ResourceConflictException": AlreadyExists,
    }

    assert type(caught(answer("PreconditionFailedException", 412), special)) is RevisionMismatch
    assert type(caught(answer("ConflictException", 409), special)) is AlreadyExists


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
        ConnectTimeoutError(endpoint_url="http://127.0.0.1:1"),
        ReadTimeoutError(endpoint_url="http://127.0.0.1:1"),
    ],
)
def test_no_answer_is_unavailable_with_the_way_to_bring_it_up(error: Exception) -> None:
    found = caught(error)

    assert isinstance(found, Unavailable)
    assert "http://127.0.0.1:1 does not answer" in found.what
    assert "penstock up" in found.hint


def test_missing_credentials_and_malformed_values_are_the_users_to_mend() -> None:
    assert isinstance(caught(NoCredentialsError()), NotAllowed)
    assert isinstance(caught(ParamValidationError(report="bad")), InvalidInput)


def test_nobody_listening_is_unavailable_within_seconds() -> None:
    with pytest.raises(Unavailable):
        LambdaClient(LOCAL).function("orders")
