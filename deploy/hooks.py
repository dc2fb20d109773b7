"""Lifecycle hooks: invoke the hook function, and take anything but a clear success as a failure.

CodeDeploy invokes a hook asynchronously and waits up to an hour for the function to call
PutLifecycleEventHookExecutionStatus; what the function returns is ignored there. Penstock has no endpoint for that
call: here the hook is invoked synchronously with the same payload, and its end is the answer. It succeeded when it
returned without a function error and did not return `{"status": "Failed"}`; so a hook may not need more than a
function's own timeout. A hook that reports through CodeDeploy's API, too, must not let that call's failure raise.
A hook may be invoked twice for one deployment (after a crash), then with the same LifecycleEventHookExecutionId.
Source: CodeDeploy AppSpec hooks for Lambda.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from concurrent.futures import Future

from core.errors import NotFound, PenstockError, Unavailable
from deploy.ports import InvokeResult, LambdaApi
from deploy.traffic.machine import Lifecycle
from deploy.traffic.rollout import HookResult

_SLICE_S = 0.5
_LONGEST_MESSAGE = 500


def payload(deployment_id: str, stage: Lifecycle) -> dict[str, str]:
    """The event a hook function gets, and nothing else; the same for every try of one lifecycle event."""
    digest = hashlib.sha256(f"{deployment_id}/{stage.value}".encode()).hexdigest()
    return {"DeploymentId": deployment_id, "LifecycleEventHookExecutionId": digest[:40]}


def run(
    service: LambdaApi, function: str, deployment_id: str, stage: Lifecycle, pulse: Callable[[], bool]
) -> HookResult | None:
    """The hook's result; None when `pulse()`, asked twice a second while the hook runs, said to wait no longer.

    Raises:
        Unavailable: the target does not answer; the hook may be invoked again.
    """
    event = json.dumps(payload(deployment_id, stage)).encode()
    running = _in_thread(lambda: service.invoke(function, event))
    while not running.done():
        if not pulse():
            return None
        _wait(running)
    try:
        return _result(stage, running.result())
    except Unavailable:
        raise
    except NotFound:
        return HookResult(stage, False, f"function {function} does not exist on the target")
    except PenstockError as error:
        return HookResult(stage, False, f"it cannot be invoked: {error}")


def _result(stage: Lifecycle, answer: InvokeResult) -> HookResult:
    text = answer.payload.decode("utf-8", "replace")
    try:
        value = json.loads(text) if text else None
    except ValueError:
        value = text
    if answer.function_error:
        said = value.get("errorMessage", text) if isinstance(value, dict) else text
        return HookResult(stage, False, f"it raised: {said}"[:_LONGEST_MESSAGE])
    if isinstance(value, dict) and value.get("status") == "Failed":
        return HookResult(stage, False, f"it answered {text}"[:_LONGEST_MESSAGE])
    return HookResult(stage, True)


def _in_thread(call: Callable[[], InvokeResult]) -> Future[InvokeResult]:
    """The running call. Its thread is a daemon: a hook nobody waits for any more must not keep the process alive."""
    future: Future[InvokeResult] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001  (handed over to the waiting thread, which raises it)
            future.set_exception(error)

    threading.Thread(target=work, name="hook", daemon=True).start()
    return future


def _wait(running: Future[InvokeResult]) -> None:
    """Return when it is done, or after a slice."""
    try:
        running.exception(timeout=_SLICE_S)
    except TimeoutError:
        return
