"""Namespaces and references: declared, produced strictly before, known."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.fakes.catalog import complaints

TEXT = """
version: 1
name: p
variables: {level: {default: x}}
targets: {local: {}}
stages:
  - name: Source
    actions:
      - {name: Checkout, provider: Git, configuration: {repository: .}, outputArtifacts: [Source], namespace: Src}
  - name: Build
    actions:
      - {name: One, provider: CodeBuild, inputArtifacts: [Source], namespace: B}
      - name: Two
        provider: Commands
        runOrder: 2
        inputArtifacts: [Source]
        commands: ["true"]
        outputVariables: [WORD]
        namespace: C
  - name: Release
    actions:
      - name: Orders
        provider: CodeDeploy
        inputArtifacts: [Source]
        configuration: {target: local, alias: live}
        namespace: D
"""


def with_value(stage: int, action: int, key: str, value: Any) -> list[str]:
    """What is said about the pipeline with `value` in that action's configuration (or at a key of its own)."""
    data = yaml.safe_load(TEXT)
    found = data["stages"][stage]["actions"][action]
    if key in ("commands", "environmentVariables", "namespace"):
        found[key] = value
    else:
        found.setdefault("configuration", {})[key] = value
    return complaints(yaml.safe_dump(data))


def test_the_pipeline_is_good() -> None:
    assert complaints(TEXT) == []


@pytest.mark.parametrize(
    "text",
    [
        "#{variables.level}",
        "#{codepipeline.PipelineExecutionId}",
        "#{Src.CommitId}",
        "#{B.ANYTHING}",
        "#{C.WORD}",
        "${Src.CommitId} $(date) ${#list[@]}",
        "a #{Src.BranchName} b #{B.X} c",
        "#{not a reference}",
        "#{word}",
    ],
)
def test_good_references_and_other_texts_pass(text: str) -> None:
    assert with_value(2, 0, "alias", text) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "#{variables.levels}",
            "there is no pipeline variable 'levels' for #{variables.levels}; did you mean 'level'?",
        ),
        ("#{codepipeline.Id}", "there is no system variable 'Id'"),
        ("#{Nobody.X}", "no action has the namespace 'Nobody' of #{Nobody.X}"),
        ("#{Src.Commit}", "there is no variable of Git 'Commit' for #{Src.Commit}; did you mean"),
        ("#{C.OTHER}", "there is no variable of Commands 'OTHER' for #{C.OTHER}; there are: WORD"),
        ("#{D.DeploymentId}", "#{D.DeploymentId} is produced by this action itself"),
        ("#{level}", "#{level} names no namespace; write #{variables.level}"),
        ("#{Src.CommitId", "is not closed; end it with }"),
    ],
)
def test_bad_references_are_told(text: str, words: str) -> None:
    found = with_value(2, 0, "alias", text)
    assert len(found) == 1, found
    assert words in found[0]
    assert "stages[2].actions[0].configuration.alias" in found[0]


@pytest.mark.parametrize("key", ["commands", "environmentVariables"])
def test_commands_and_their_environment_are_looked_through(key: str) -> None:
    text = "echo #{B.X} #{Later.X} #{D.DeploymentId}"
    found = with_value(1, 1, key, [text] if key == "commands" else {"A": text})
    assert len(found) == 2
    assert "no action has the namespace 'Later'" in found[0]
    assert "only later, by action 'Orders' of stage 'Release'" in found[1]


def test_actions_that_run_together_cannot_read_each_other() -> None:
    text = TEXT.replace("runOrder: 2", "runOrder: 1").replace('"true"', '"echo #{B.X}"')
    found = complaints(text)
    assert len(found) == 1
    assert "is produced by action 'One', which runs at the same time" in found[0]


def test_each_reference_is_told_once_per_text() -> None:
    assert len(with_value(2, 0, "alias", "#{Nobody.X} #{Nobody.X}")) == 1


@pytest.mark.parametrize("name", ["codepipeline", "variables"])
def test_reserved_namespaces_are_refused(name: str) -> None:
    assert any("is reserved" in complaint for complaint in with_value(1, 0, "namespace", name))


def test_namespaces_and_artifacts_share_their_names() -> None:
    assert any("is also the name of an artifact" in complaint for complaint in with_value(1, 0, "namespace", "Source"))


def test_a_default_must_be_allowed() -> None:
    text = TEXT.replace("{default: x}", "{default: x, allowed: [y, z]}")
    assert "the default 'x' is not among the allowed values" in complaints(text)[0]


def test_targets_hold_plain_values() -> None:
    text = TEXT.replace("{local: {}}", '{local: {endpointUrl: "http://x/#{variables.level}"}}')
    assert complaints(text)[0].endswith(
        "targets.local.endpointUrl: variables cannot be used in targets; declare several targets and choose one by name"
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("echo #{Src.CommitId}", True),
        ("echo a#{Src.CommitId}", False),
        ("'echo #{Src.CommitId}'", False),
        ('"echo #{Src.CommitId}"', False),
        ("echo # see #{Src.CommitId}", False),
        ('echo "#{Src.CommitId} #{Src.BranchName}"', True),
        ("|\n            echo #{Src.CommitId}", False),
    ],
)
def test_a_reference_that_yaml_takes_for_a_comment_is_told(line: str, told: bool) -> None:
    text = TEXT.replace('commands: ["true"]', f"commands:\n          - {line}")
    found = complaints(text)
    assert len(found) == told, found
    assert not told or "is a comment here" in found[0]
