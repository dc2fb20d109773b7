"""Event files: what a function is given, and what it must answer.

A file is one JSON document, and so one test. It is either

* a **bare event**: any JSON value without a top-level key `event`. The function must return without an error; and when
  `<name>.expected.json` lies beside `<name>.json`, its payload must contain what that file holds; or
* a **test**, an object with the key `event` (an event that has such a key itself must be wrapped like this):

      {"name": "a coupon takes off ten percent",        the file's name when absent
       "function": "OrdersFunction",                    logical id; the configuration's function when absent
       "event": {"items": []},
       "expect": {"payload": {"accepted": true},        must be contained in the answer (see `match`)
                  "exact": false,                       true: the answer must be exactly the payload
                  "functionError": null,                or "Unhandled" / "Handled": the function must fail like that
                  "errorType": "KeyError",              it must fail with this type
                  "errorMessage": "items",              …and a message that contains this
                  "maxDurationMs": 200}}                by the function's own REPORT line

Without `expect` a test asks only for no error. Unknown keys are mistakes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from core.document import Document, dotted, parse_json, suggest
from core.errors import InvalidInput
from core.source import Diagnostic

_TEST = {"name": str, "function": str, "event": object, "expect": dict}
_EXPECT = {
    "payload": object,
    "exact": bool,
    "functionError": (str, type(None)),
    "errorType": str,
    "errorMessage": str,
    "maxDurationMs": (int, float),
}
_WORDS = {str: "text", dict: "an object", bool: "true or false", (str, type(None)): "text or null"}
_FUNCTION_ERRORS = ("Unhandled", "Handled")
EXPECTED = ".expected.json"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must be true of an answer. `payload` counts when `has_payload`; `error` "" means there must be none."""

    has_payload: bool = False
    payload: Any = None
    exact: bool = False
    error: Literal["", "any", "Handled", "Unhandled"] = ""
    error_type: str = ""
    error_message: str = ""
    max_duration_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One test. `function` "" means the configured one, or the only one."""

    name: str
    file: str
    event: Any
    function: str = ""
    expect: Expectation = Expectation()


def parse(text: str | bytes, file: str, expected: str | bytes | None = None) -> Case:
    """The test in the text of `file`; `expected` is the text of the file with the expected payload, if there is one.

    Raises:
        InvalidInput: every mistake, with its place.
    """
    document = parse_json(text, file)
    name = file.rsplit("/", 1)[-1].removesuffix(".json")
    data = document.data
    if not isinstance(data, dict) or "event" not in data:
        return Case(name, file, data, expect=_of_payload(expected, file))
    mistakes = _mistakes(document, (), data, _TEST)
    expect = data.get("expect", {})
    if isinstance(expect, dict):
        mistakes += _mistakes(document, ("expect",), expect, _EXPECT) + _contradictions(document, expect)
    if expected is not None:
        hint = f"put the payload into 'expect', or keep only the event in {file}"
        mistakes.append(Diagnostic(document.location(()), f"a test with 'event' takes no {name}{EXPECTED}", "", hint))
    if mistakes:
        raise InvalidInput.of(mistakes)
    return Case(data.get("name") or name, file, data["event"], data.get("function", ""), _expectation(expect))


def _of_payload(expected: str | bytes | None, file: str) -> Expectation:
    if expected is None:
        return Expectation()
    return Expectation(has_payload=True, payload=parse_json(expected, file.removesuffix(".json") + EXPECTED).data)


def _mistakes(document: Document, path: tuple[str, ...], data: Mapping[str, Any], known: Any) -> list[Diagnostic]:
    found = []
    for key, value in data.items():
        here = (*path, key)
        if key not in known:
            hint = suggest(key, known) or f"possible here: {', '.join(known)}"
            found.append(Diagnostic(document.key_location(here), f"unknown key '{key}'", dotted(here), hint))
        elif not isinstance(value, known[key]) or (key == "maxDurationMs" and isinstance(value, bool)):
            what = f"this must be {_WORDS.get(known[key], 'a number')}"
            found.append(Diagnostic(document.location(here), what, dotted(here)))
    return found


def _contradictions(document: Document, expect: Mapping[str, Any]) -> list[Diagnostic]:
    def mistake(key: str, what: str, hint: str = "") -> Diagnostic:
        return Diagnostic(document.location(("expect", key)), what, f"expect.{key}", hint)

    found = []
    error = expect.get("functionError", "")
    if isinstance(error, str) and error and error not in _FUNCTION_ERRORS:
        found.append(
            mistake("functionError", f"there is no function error '{error}'", "use null, Unhandled or Handled")
        )
    if "functionError" in expect and error is None:
        wants = [key for key in ("errorType", "errorMessage") if key in expect]
        found += [mistake(key, "this contradicts functionError: null") for key in wants]
    if expect.get("exact") and "payload" not in expect:
        found.append(mistake("exact", "there is no payload to be exact about"))
    return found


def _expectation(expect: Mapping[str, Any]) -> Expectation:
    fails = "errorType" in expect or "errorMessage" in expect
    return Expectation(
        has_payload="payload" in expect,
        payload=expect.get("payload"),
        exact=expect.get("exact", False),
        error=expect.get("functionError") or ("any" if fails else ""),
        error_type=expect.get("errorType", ""),
        error_message=expect.get("errorMessage", ""),
        max_duration_ms=expect.get("maxDurationMs"),
    )
