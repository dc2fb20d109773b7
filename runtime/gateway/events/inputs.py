"""What a rule gives to its target: the event, a constant, a part of the event, or a text made from it. Pure.

Source: EventBridge's "Target" and "Input transformation".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\*)\]|\['([^']+)'\]")
_VARIABLE = re.compile(r"<([\w.-]+)>")
_MISSING = object()


def payload_of(target: Mapping[str, Any], event: Mapping[str, Any], rule_arn: str, ingested_at: str) -> str:
    """The text that `target` (as PutTargets has it) is given for `event`; JSON unless the target's own text is not."""
    if target.get("Input"):
        return str(target["Input"])
    transformer = target.get("InputTransformer")
    if transformer:
        variables = {name: at(event, path) for name, path in (transformer.get("InputPathsMap") or {}).items()}
        known = {
            "aws.events.rule-arn": rule_arn,
            "aws.events.rule-name": rule_arn.rpartition("/")[2],
            "aws.events.event.ingestion-time": ingested_at,
            "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
            "aws.events.event.json": event,
        }
        return render(transformer["InputTemplate"], {**variables, **known})
    if target.get("InputPath"):
        found = at(event, target["InputPath"])
        return compact(None if found is _MISSING else found)
    return compact(event)


def at(data: Any, path: str) -> Any:
    """What a JSON path (`$.detail.items[0].name`) leads to in `data`; something that is nothing when it is absent."""
    rest = path.removeprefix("$")
    position = 0
    while position < len(rest):
        step = _STEP.match(rest, position)
        if step is None:
            return _MISSING
        name, index = step.group(1) or step.group(3), step.group(2)
        if name is not None and isinstance(data, dict) and name in data:
            data = data[name]
        elif index == "*" and isinstance(data, list):
            pass  # the whole list
        elif index is not None and index != "*" and isinstance(data, list) and int(index) < len(data):
            data = data[int(index)]
        else:
            return _MISSING
        position = step.end()
    return data


def render(template: str, variables: Mapping[str, Any]) -> str:
    """`template` with its `<variables>` filled in: inside of a string their text, outside of one their JSON.

    A variable whose path leads nowhere is empty text, or null; one that was never defined stays as it is written.
    """

    def fill(match: re.Match[str]) -> str:
        if match.group(1) not in variables:
            return match.group()
        value = variables[match.group(1)]
        if not _inside_string(template, match.start()):
            return compact(None if value is _MISSING else value)
        if value is _MISSING:
            return ""
        return json.dumps(value if isinstance(value, str) else compact(value), ensure_ascii=False)[1:-1]

    return _VARIABLE.sub(fill, template)


def _inside_string(template: str, position: int) -> bool:
    """Whether `position` lies between two quotes."""
    return len(re.findall(r'(?<!\\)"', template[:position])) % 2 == 1


def compact(value: Any) -> str:
    """`value` as JSON without blanks."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
