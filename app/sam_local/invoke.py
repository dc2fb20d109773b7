"""One invocation of one function, straight from the template."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.sam_local.deploying import Deployer, Surroundings
from app.sam_local.lambda_api import LambdaApi, Refused
from app.sam_local.private import PrivateRuntime
from app.sam_local.problems import LocalError
from app.sam_local.project import Project
from sam.local.model import LocalFunction


@dataclass(frozen=True, slots=True)
class Invocation:
    """What is to be run; `prepare` reads the template while the runtime starts."""

    prepare: Callable[[], tuple[Project, LocalFunction]]
    event: bytes
    surroundings: Surroundings
    options: Sequence[str]
    """More of the runtime's own options."""


def invoke(wanted: Invocation, logs: int) -> bytes:
    """The function's answer, also when it is an error of the function's. `logs` gets what it logs meanwhile.

    Raises:
        LocalError: it cannot be run.
        InvalidInput: the template has mistakes.
    """
    with PrivateRuntime(logs, *wanted.options) as runtime:
        project, function = wanted.prepare()
        api = LambdaApi(runtime.wait())
        try:
            Deployer(api, wanted.surroundings).create(project, function)
            payload, _ = api.invoke(function.function_name, wanted.event)
        except Refused as refusal:
            raise LocalError(f"{function.logical_id} was not invoked", why=refusal.message) from None
        except (OSError, EOFError) as problem:
            raise LocalError("the local runtime stopped answering", why=str(problem)) from None
        finally:
            api.close()
        return payload
