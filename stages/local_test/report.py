"""Results of event tests: as JUnit XML, and as one sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from junitparser import Failure, JUnitXml, TestCase, TestSuite

from stages.local_test.cases import Case

# Source: XML 1.0, production Char.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Result:
    """One test that ran: passed when there are no `differences`."""

    case: Case
    function: str
    differences: tuple[str, ...]
    duration_ms: float
    log: tuple[str, ...] = ()


def write_junit(results: Sequence[Result], suite_name: str, file: Path) -> None:
    """Write the report to `file`."""
    suite = TestSuite(suite_name)
    for result in results:
        took_s = round(result.duration_ms / 1000, 6)
        case = TestCase(_printable(result.case.name), classname=result.function, time=took_s)
        if result.differences:
            failure = Failure(_printable(result.differences[0]))
            failure.text = _printable("\n".join(result.differences))
            case.result = [failure]
        if result.log:
            case.system_out = _printable("\n".join(result.log))
        suite.add_testcase(case)
    xml = JUnitXml()
    xml.add_testsuite(suite)
    file.parent.mkdir(parents=True, exist_ok=True)
    xml.write(str(file), pretty=True)


def sentence(results: Sequence[Result]) -> str:
    """What came of it: `3 event tests passed`, or which failed and why."""
    failed = [result for result in results if result.differences]
    count = len(results)
    if not failed:
        return f"{count} event test{'s' if count != 1 else ''} passed"
    reasons = "; ".join(f"{result.case.name} ({result.function}): {', '.join(result.differences)}" for result in failed)
    return f"{len(failed)} of {count} event tests failed: {reasons}"


def _printable(text: str) -> str:
    """`text` with `?` for what XML cannot hold."""
    return _NOT_XML.sub("?", text)
