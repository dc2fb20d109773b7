"""A good file becomes a definition; where its values end up, and how fast."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

import pytest
import yaml

from core.errors import InvalidInput, NotFound
from pipelines.definition import from_data, load, load_file
from pipelines.definition.model import Filter, OnFailure, PushTrigger, ScheduleTrigger, Variable
from tests.fakes.catalog import NAMES, catalog

GOOD = Path(__file__).parents[3] / "data" / "pipelines" / "good.yaml"
TEXT = GOOD.read_text(encoding="utf-8")


def test_every_part_of_the_file_arrives() -> None:
    pipeline = load(TEXT, "pipeline.yaml", catalog=catalog, provider_names=NAMES)
    assert pipeline.name == "orders"
    assert pipeline.execution_mode == "QUEUED"
    assert pipeline.variables == (
        Variable("level", "canary", "how to release", ("canary", "allAtOnce")),
        Variable("ticket"),
    )
    assert pipeline.targets["production"]["region"] == "eu-west-1"
    assert pipeline.triggers == (
        PushTrigger(Filter(("main", "release/*")), None, Filter(("src/**",), ("**/*.md",))),
        PushTrigger(tags=Filter(("v*",))),
        ScheduleTrigger("0 6 * * MON-FRI", "Europe/Paris", "latest"),
    )
    assert [stage.name for stage in pipeline.stages] == ["Source", "Build", "Test", "Approve", "Release"]
    assert pipeline.stage("Build").on_failure == OnFailure("RETRY", "FAILED_ACTIONS")
    assert pipeline.stage("Release").on_failure == OnFailure("ROLLBACK")
    announce = pipeline.stage("Build").action("Announce")
    assert (announce.provider, announce.category, announce.run_order) == ("Commands", "Compute", 2)
    assert announce.commands[1] == "export WORD=done"
    assert announce.environment == {"TICKET": "#{variables.ticket}"}
    assert announce.output_variables == ("WORD",)
    assert announce.input_artifacts == ("Package",)
    assert announce.namespace == "Announced"
    assert announce.timeout_s == 150.0


def test_what_is_left_out_has_the_documented_default() -> None:
    text = """
version: 1
name: small
stages:
  - name: Source
    actions: [{name: Checkout, provider: Git, configuration: {repository: .}, outputArtifacts: [Source]}]
  - name: Build
    actions: [{name: Package, provider: CodeBuild, inputArtifacts: [Source]}]
"""
    pipeline = load(text, "p.yaml", catalog=catalog, provider_names=NAMES)
    assert (pipeline.execution_mode, pipeline.variables, pipeline.targets, pipeline.triggers) == ("QUEUED", (), {}, ())
    action = pipeline.stage("Build").action("Package")
    assert (action.run_order, action.configuration, action.timeout_s, action.namespace) == (1, {}, None, "")
    assert pipeline.stage("Build").on_failure is None


def test_a_stored_document_gives_the_same_definition() -> None:
    pipeline = load(TEXT, "pipeline.yaml", catalog=catalog, provider_names=NAMES)
    stored = json.loads(json.dumps(pipeline.data))
    assert from_data(stored, catalog=catalog) == pipeline


def test_a_stored_document_survives_the_loss_of_a_provider() -> None:
    data = yaml.safe_load(TEXT)
    gone = from_data(data, catalog=lambda name: None if name == "Manual" else catalog(name))
    assert gone.stage("Approve").action("Sign-off").category == ""


def test_json_is_read_too() -> None:
    data = yaml.safe_load(TEXT)
    assert load(json.dumps(data), "p.json", catalog=catalog, provider_names=NAMES).name == "orders"


def test_a_file_is_read_from_disk(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text(TEXT)
    assert load_file(file, catalog=catalog, provider_names=NAMES).name == "orders"
    with pytest.raises(NotFound, match="no such file"):
        load_file(tmp_path / "other.yaml", catalog=catalog, provider_names=NAMES)
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_file(tmp_path, catalog=catalog, provider_names=NAMES)


@pytest.mark.parametrize("text", ["", "   \n", "# only a comment\n", "null\n"])
def test_an_empty_file_says_so(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"p\.yaml:1:1: error: the file is empty") as caught:
        load(text, "p.yaml", catalog=catalog, provider_names=NAMES)
    assert len(caught.value.diagnostics) == 1


@pytest.mark.parametrize("text", ["just words", "- a\n- list\n", "3"])
def test_a_file_that_is_no_mapping_says_so(text: str) -> None:
    with pytest.raises(InvalidInput, match="must be a mapping"):
        load(text, "p.yaml", catalog=catalog, provider_names=NAMES)


def test_a_typical_file_takes_less_than_15_ms() -> None:
    def once() -> float:
        start = time.perf_counter()
        load(TEXT, "pipeline.yaml", catalog=catalog, provider_names=NAMES)
        return time.perf_counter() - start

    once()
    assert statistics.median(once() for _ in range(9)) < 0.015
