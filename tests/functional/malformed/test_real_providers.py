"""The project's own pipeline under the real providers: spoil any value, and it is still refused in words only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from pipelines.definition import load
from stages import registry
from tests.functional.malformed.test_fuzz import TREES, places

TEXT = (Path(__file__).parents[3] / "pipeline.yaml").read_text(encoding="utf-8")
DATA = yaml.safe_load(TEXT)


def refusal(text: str) -> InvalidInput | None:
    try:
        load(text, "pipeline.yaml", catalog=registry.action_type, provider_names=registry.names())
    except InvalidInput as error:
        return error
    return None


def test_the_project_s_own_pipeline_is_good() -> None:
    assert refusal(TEXT) is None


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_something_else_in_one_place(data: st.DataObject) -> None:
    spoilt: Any = json.loads(json.dumps(DATA))
    path = data.draw(st.sampled_from(places(spoilt)))
    holder = spoilt
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = data.draw(TREES)
    error = refusal(json.dumps(spoilt))
    assert error is None or error.diagnostics


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ("target: local", "target: locl", "target: locl", "did you mean 'local'?"),
        ("alias: live", "alais: live", "alais: live", "did you mean 'alias'?"),
        ("wait 8s", "wait eight", "deploymentConfig", "eight"),
        ("metric: ErrorRate", "metric: ErorRate", "metric: Eror", "ErrorRate"),
        ("threshold: 5", "treshold: 5", "treshold", "did you mean 'threshold'?"),
        ("DEPLOYMENT_FAILURE", "DEPLOYMENT_FAILED", "DEPLOYMENT_FAILED", "DEPLOYMENT_FAILURE"),
        ("events: tests/events", "event: tests/events", "event:", "did you mean 'events'?"),
        ("provider: CodeDeploy", "provider: CodeDeply", "CodeDeply", "did you mean 'CodeDeploy'?"),
        ("repository: .", "repository: ., branch: a, tag: b", "tag: b", "already says which commit"),
    ],
)
def test_the_providers_own_rules_name_the_exact_line(old: str, new: str, at: str, says: str) -> None:
    spoilt = TEXT.replace(old, new, 1)
    assert spoilt != TEXT
    error = refusal(spoilt)
    assert error is not None
    line = spoilt.count("\n", 0, spoilt.find(at)) + 1
    assert any(item.location.line == line and says in str(item) for item in error.diagnostics), str(error)
