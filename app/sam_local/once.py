"""One invocation of one function in a runtime that has just been started."""

from __future__ import annotations

from http.client import HTTPException

from app.sam_local.deploying import Deployer, Surroundings
from app.sam_local.lambda_api import LambdaApi, Refused
from app.sam_local.private import PrivateRuntime
from app.sam_local.problems import LocalError
from app.sam_local.project import Project
from sam.local.model import LocalFunction


def invoke(
    runtime: PrivateRuntime, project: Project, function: LocalFunction, event: bytes, surroundings: Surroundings
) -> bytes:
    """The function's answer, also when it is an error of the function's.

    Raises:
        LocalError: it cannot be run.
    """
    api = LambdaApi(runtime.wait())
    try:
        Deployer(api, runtime.uploads, surroundings).create(project, function)
        payload, _ = api.invoke(function.function_name, event)
    except Refused as refusal:
        raise LocalError(f"{function.logical_id} was not invoked", why=refusal.message) from None
    except (OSError, HTTPException) as problem:
        raise LocalError("the local runtime stopped answering", why=str(problem)) from None
    finally:
        api.close()
    return payload
