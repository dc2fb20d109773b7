"""start-api and start-lambda from their beginning to their end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from app.sam_local.api_server import ApiServer, mounted
from app.sam_local.deploying import Deployer, Surroundings
from app.sam_local.front import API_BODY_BYTES, Front
from app.sam_local.lambda_api import LambdaApi
from app.sam_local.lambda_server import LambdaServer
from app.sam_local.live import Live, Load
from app.sam_local.private import PrivateRuntime
from app.sam_local.problems import LocalError
from app.sam_local.serving import Address, listen, serve
from app.sam_local.upstream import Upstream

_FUNCTION_BODY_BYTES = 70 * 1024**2  # Source: Lambda's limit for CreateFunction
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a server was started with. `say` prints a line that is no result."""

    address: Address
    load: Load
    surroundings: Surroundings
    say: Say
    watching: bool = True


def start_api(wanted: Wanted, runtime: PrivateRuntime, *, static: Path | None, authorizers: bool) -> None:
    """Serve the APIs and function URLs of a template until somebody ends it.

    Raises:
        LocalError: the template has none; the address is taken; the runtime does not start.
        InvalidInput: the template has mistakes.
    """
    live, upstream = _begin(wanted, runtime)
    template = live.project.template
    if not template.apis and not any(function.url is not None for function in template.functions):
        raise LocalError("Template does not have any APIs connected to Lambda functions", where=template.file)
    patient = wanted.surroundings.debugging is not None
    place = (live.project.path.parent / static).absolute() if static is not None else None
    server = ApiServer(
        live, upstream, wanted.say, static=place if place is not None and place.is_dir() else None,
        authorizers=authorizers, patient=patient,
    )  # fmt: skip

    def lines(url: str) -> Iterable[str]:
        yield from mounted(live.project.template, url, authorizers=authorizers)
        yield "Changes to code and template count from the next request on." if wanted.watching else ""
        yield f"Running on {url} (CTRL+C to quit)"

    _serve(Front(server, live, wanted.say, API_BODY_BYTES), wanted, runtime, lines)


def start_lambda(wanted: Wanted, runtime: PrivateRuntime) -> None:
    """Serve Lambda's API for the functions of a template until somebody ends it. Raises: as `start_api`."""
    live, upstream = _begin(wanted, runtime)
    server = LambdaServer(live, upstream, wanted.say)

    def lines(url: str) -> Iterable[str]:
        for function in live.project.template.functions:
            alias = "" if function.logical_id == function.function_name else f", also as {function.logical_id}"
            yield f"Function {function.function_name}{alias}"
        yield f"Point AWS clients at it: --endpoint-url {url}"
        yield f"Running on {url} (CTRL+C to quit)"

    _serve(Front(server, live, wanted.say, _FUNCTION_BODY_BYTES), wanted, runtime, lines)


def _begin(wanted: Wanted, runtime: PrivateRuntime) -> tuple[Live, Upstream]:
    port = runtime.wait()
    deployer = Deployer(LambdaApi(port), runtime.uploads, wanted.surroundings)
    live = Live(wanted.load, deployer, wanted.say, watching=wanted.watching)
    for warning in live.project.template.warnings:
        wanted.say(str(warning))
    return live, Upstream(port)


def _serve(front: Front, wanted: Wanted, runtime: PrivateRuntime, lines: Callable[[str], Iterable[str]]) -> None:
    listener = listen(wanted.address)
    host = f"[{wanted.address.host}]" if ":" in wanted.address.host else wanted.address.host
    url = f"{wanted.address.scheme}://{host}:{listener.getsockname()[1]}"

    def ready() -> None:
        for line in lines(url):
            if line:
                wanted.say(line)

    asyncio.run(serve(front, listener, wanted.address, runtime, ready))
