"""The bodies of requests, strictly read: unknown keys, wrong types and missing values are mistakes, all reported."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import Request

from core.errors import InvalidInput

Name = Annotated[str, Field(max_length=1000)]


class Body(BaseModel):
    """A JSON object with camelCase keys."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=to_camel)


class Start(Body):
    """POST /v1/executions. `follow` answers with the follow stream instead of the execution."""

    file_text: str
    file: Annotated[str, Field(min_length=1, max_length=4096, pattern="^/")]
    variables: dict[str, str] = Field(default={})
    source_revisions: dict[str, str] = Field(default={})
    trigger_detail: Name = ""
    key: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    follow: bool = False


class Stop(Body):
    """POST /v1/executions/{ref}/stop."""

    abandon: bool = False
    reason: str = ""


class Retry(Body):
    """POST /v1/executions/{ref}/retry. `stage` null: the one that broke."""

    stage: Name | None = None
    mode: Literal["FAILED_ACTIONS", "ALL_ACTIONS"] = "FAILED_ACTIONS"


class Approval(Body):
    """POST /v1/approvals."""

    status: Literal["Approved", "Rejected"]
    summary: str = ""
    answered_by: Name = ""
    token: Name = ""
    execution: Name = ""
    stage: Name = ""
    action: Name = ""


class Rollback(Body):
    """POST /v1/rollbacks."""

    deployment: Name = ""
    function: Name = ""
    alias: Name = ""
    target: Name = ""
    to_version: Name = ""
    by: Name = "somebody"
    reason: Annotated[str, Field(max_length=500)] = ""


class Plan(Body):
    """POST /v1/plans."""

    file_text: str
    file: Annotated[str, Field(min_length=1, max_length=4096, pattern="^/")]
    variables: dict[str, str] = Field(default={})
    action: Name = ""


B = TypeVar("B", bound=Body)


async def read(request: Request, kind: type[B]) -> B:
    """The request's body as `kind`; an empty one as {}.

    Raises:
        InvalidInput: not JSON, or not of that shape; every mistake is named.
    """
    raw = await request.body()
    try:
        data: Any = json.loads(raw) if raw else {}
        return kind.model_validate(data, by_alias=True)
    except ValidationError as error:
        mistakes = [f"{'.'.join(map(str, item['loc'])) or 'body'}: {item['msg']}" for item in error.errors()]
        raise InvalidInput("; ".join(mistakes), where="body") from None
    except (ValueError, RecursionError):
        raise InvalidInput("the body is no JSON", where="body") from None
