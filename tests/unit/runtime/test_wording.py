"""Error bodies, log lines and the life of an environment: everything that is a table or a sentence."""

from __future__ import annotations

import json

import pytest

from core.errors import IllegalTransition
from runtime.environment.lifecycle import AVAILABLE, LIFE, Happening, Phase
from runtime.invoke import results


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (0, "Runtime exited without providing a reason"),
        (1, "Runtime exited with error: exit status 1"),
        (-9, "Runtime exited with error: signal: killed"),
        (-11, "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_the_end_of_a_process_is_worded_as_lambda_words_it(code: int, message: str) -> None:
    result = results.exited("id", code)
    assert json.loads(result.payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: id Error: {message}",
    }


def test_a_report_line_has_its_fields_in_order() -> None:
    result = results.Result(b"", duration_ms=12.345)
    assert results.report("id", result, 128, 40, None) == (
        "REPORT RequestId: id\tDuration: 12.35 ms\tBilled Duration: 13 ms\t"
        "Memory Size: 128 MB\tMax Memory Used: 40 MB\t"
    )
    with_init = results.report("id", result, 128, 40, 100.2)
    assert "Billed Duration: 113 ms" in with_init
    assert with_init.endswith("Init Duration: 100.20 ms\t")


@pytest.mark.parametrize(
    ("result", "suffix"),
    [
        (results.timed_out("id", 3), "Status: timeout\t"),
        (results.exited("id", 1), "Status: error\tError Type: Runtime.ExitError\t"),
        (results.Result(b"{}", "ValueError"), "Max Memory Used: 1 MB\t"),
    ],
)
def test_a_report_line_ends_with_what_went_wrong(result: results.Result, suffix: str) -> None:
    assert results.report("id", result, 128, 1, None).endswith(suffix)


def test_one_invocation_at_a_time() -> None:
    for phase in Phase:
        possible = Happening.ASSIGNED in LIFE.allowed(phase)
        assert possible is (phase in AVAILABLE)


def test_a_reset_environment_starts_again_inside_the_next_invocation() -> None:
    phase = Phase.BUSY
    for happening, expected in (
        (Happening.LOST, Phase.RESET),
        (Happening.ASSIGNED, Phase.RESTARTING),
        (Happening.READY, Phase.BUSY),
        (Happening.ANSWERED, Phase.ANSWERED),
        (Happening.READY, Phase.IDLE),
    ):
        phase = LIFE.next(phase, happening)
        assert phase is expected


def test_nothing_happens_to_a_retired_environment() -> None:
    assert LIFE.final(Phase.RETIRED)
    with pytest.raises(IllegalTransition):
        LIFE.next(Phase.RETIRED, Happening.ASSIGNED)
