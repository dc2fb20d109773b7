"""What an invocation came to, and how errors and log lines are worded. Pure. Source: reference §6 and §7."""

from __future__ import annotations

import json
import math
import signal
from dataclasses import dataclass

MAX_PAYLOAD_BYTES = 6_291_456
MAX_RESPONSE_BYTES = 6_291_556
"""What a buffered answer may have: Lambda's messages name this number, 100 bytes more than a request may have."""
MAX_ASYNC_PAYLOAD_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to one invocation; `error_type` is empty when the function succeeded."""

    payload: bytes
    error_type: str = ""
    status: str = ""
    """How the REPORT line words a failure of the environment: "timeout", "error", or empty."""
    duration_ms: float = 0.0
    log_tail: bytes = b""
    init_ms: float | None = None
    """Only for the first invocation of an environment."""
    used_mb: int = 0
    """The most memory the environment ever used."""
    provisioned: bool = False
    """Whether the environment was there by provisioned concurrency."""
    extensions_ms: float | None = None
    """How long extensions went on after the runtime was done; None when there were none."""
    answered: bool = False
    """The caller has had the answer already, while extensions were still at work."""

    @property
    def billed_ms(self) -> int:
        """Duration and init together, rounded up. Source: reference §15."""
        return math.ceil(self.duration_ms + (self.init_ms or 0.0))


def timed_out(request_id: str, timeout_s: int) -> Result:
    """The function ran longer than its timeout."""
    return _failure("Sandbox.Timedout", f"RequestId: {request_id} Error: {timeout_message(timeout_s)}", "timeout")


def timeout_message(timeout_s: float) -> str:
    """`Task timed out after 3.00 seconds`."""
    return f"Task timed out after {timeout_s:.2f} seconds"


def exited(request_id: str, exit_code: int) -> Result:
    """The process ended during the invocation."""
    return _failure("Runtime.ExitError", f"RequestId: {request_id} Error: {exit_message(exit_code)}", "error")


def exit_message(exit_code: int) -> str:
    """Why the process ended, in Lambda's words; a negative code is a signal."""
    if exit_code == 0:
        return "Runtime exited without providing a reason"
    return f"Runtime exited with error: {exit_words(exit_code)}"


def exit_words(exit_code: int) -> str:
    """How a process ended, in the words of extension errors too; a negative code is a signal."""
    if exit_code == 0:
        return "exit code 0"
    if exit_code < 0:
        return f"signal: {_signal_name(-exit_code)}"
    return f"exit status {exit_code}"


def broken(request_id: str, error_type: str, message: str) -> Result:
    """The environment broke during the invocation."""
    return _failure(error_type, f"RequestId: {request_id} Error: {message}", "error")


def too_large(size_bytes: int, limit: int = MAX_RESPONSE_BYTES) -> Result:
    """The function's answer does not fit into a response."""
    return _failure(
        "Function.ResponseSizeTooLarge",
        f"Response payload size ({size_bytes} bytes) exceeded maximum allowed payload size ({limit} bytes).",
        "",
    )


def _failure(error_type: str, message: str, status: str) -> Result:
    payload = json.dumps({"errorType": error_type, "errorMessage": message}, separators=(",", ":")).encode()
    return Result(payload, error_type, status)


def _signal_name(number: int) -> str:
    """The signal as Go names it, whose words Lambda's messages carry ("killed", "segmentation fault")."""
    return (signal.strsignal(number) or f"signal {number}").lower()


def init_start(runtime_version: str, arn: str) -> str:
    """The first line of an environment's log."""
    return f"INIT_START Runtime Version: {runtime_version}\tRuntime Version ARN: {arn}"


def init_report(duration_ms: float, phase: str, status: str, error_type: str) -> str:
    """The line of a failed init; `phase` is "init" or "invoke", `status` "error" or "timeout"."""
    line = f"INIT_REPORT Init Duration: {duration_ms:.2f} ms\tPhase: {phase}\tStatus: {status}"
    return f"{line}\tError Type: {error_type}" if error_type else line


def report(request_id: str, result: Result, memory_mb: int, used_mb: int, init_ms: float | None) -> str:
    """The REPORT line; `init_ms` only for the first invocation of an environment, and billed with it."""
    billed = math.ceil(result.duration_ms + (init_ms or 0.0))
    line = (
        f"REPORT RequestId: {request_id}\tDuration: {result.duration_ms:.2f} ms\tBilled Duration: {billed} ms\t"
        f"Memory Size: {memory_mb} MB\tMax Memory Used: {used_mb} MB\t"
    )
    if init_ms is not None:
        line += f"Init Duration: {init_ms:.2f} ms\t"
    if result.status:
        line += f"Status: {result.status}\t"
        if result.status == "error":
            line += f"Error Type: {result.error_type}\t"
    return line
