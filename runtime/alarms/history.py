"""The items of an alarm's history, as CloudWatch words them. Pure."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from runtime.alarms.records import Alarm, Item

_LONGEST_DATA = 4095
_LONGEST_SUMMARY = 255


def configured(alarm: Alarm, before: Alarm | None, at: datetime) -> Item:
    """An alarm was created, or another configuration was put."""
    word = "created" if before is None else "updated"
    data = {"version": "1.0", "type": "Create" if before is None else "Update", f"{word}Alarm": _settings(alarm)}
    return _item(alarm, at, "ConfigurationUpdate", f'Alarm "{alarm.name}" {word}', data)


def deleted(alarm: Alarm, at: datetime) -> Item:
    """An alarm is gone."""
    data = {"version": "1.0", "type": "Delete", "deletedAlarm": _settings(alarm)}
    return _item(alarm, at, "ConfigurationUpdate", f'Alarm "{alarm.name}" deleted', data)


def changed(before: Alarm, after: Alarm) -> Item:
    """The state became another."""
    data = {"version": "1.0", "oldState": _state(before), "newState": _state(after)}
    summary = f"Alarm updated from {before.state} to {after.state}"
    return _item(after, after.transitioned, "StateUpdate", summary, data)


def acted(alarm: Alarm, resource: str, at: datetime, problem: str) -> Item:
    """An action was done; `problem` is empty when it succeeded."""
    data = {
        "actionState": "Failed" if problem else "Succeeded",
        "stateUpdateTimestamp": round(alarm.transitioned.timestamp() * 1000),
        "notificationResource": resource,
        "publishedMessage": None,
        "error": problem or None,
    }
    summary = f"{'Failed to execute' if problem else 'Successfully executed'} action {resource}"
    return _item(alarm, at, "Action", summary, data)


def _settings(alarm: Alarm) -> dict[str, Any]:
    named = {name[0].lower() + name[1:]: value for name, value in alarm.settings.items()}
    return {"alarmName": alarm.name, **named, "stateValue": alarm.state.value}


def _state(alarm: Alarm) -> dict[str, Any]:
    state: dict[str, Any] = {"stateValue": alarm.state.value, "stateReason": alarm.reason}
    if alarm.reason_data:
        state["stateReasonData"] = json.loads(alarm.reason_data)
    return state


def _item(alarm: Alarm, at: datetime, type_: str, summary: str, data: dict[str, Any]) -> Item:
    text = json.dumps(data, separators=(",", ":"))
    if len(text) > _LONGEST_DATA:
        kept = {key: value for key, value in data.items() if not isinstance(value, dict)}
        text = json.dumps({**kept, "truncated": True}, separators=(",", ":"))
    return Item(alarm.name, alarm.kind, at, type_, summary[:_LONGEST_SUMMARY], text)
