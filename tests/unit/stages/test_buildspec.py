"""Buildspecs: what is read, what is refused with its place, and that no text whatever gives a traceback."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from stages.build.buildspec import ArtifactSpec, Buildspec, PhaseSpec, parse
from stages.build.phases import OnFailure, Phase

WHOLE = """
version: 0.2
env:
  shell: bash
  variables: {STAGE: test, PYTHON: 3.10, DEBUG: true, EMPTY: }
  exported-variables: [RELEASE]
  git-credential-helper: no
proxy: {upload-artifacts: no, logs: no}
batch: {fast-fail: true}
phases:
  install:
    runtime-versions: {python: 3.11, nodejs: "18.x"}
  pre_build:
    on-failure: continue
    commands: [true, echo 1, 2]
  build:
    on-failure: ABORT
    commands:
      - make
      - |
        if true; then
          make test
        fi
    finally: [make clean]
reports: {unit: {files: ["**/*.xml"]}}
artifacts:
  files: [template.yaml, src/**/*]
  base-directory: dist
  exclude-paths: ["**/.*"]
  discard-paths: yes
  enable-symlinks: "yes"
  name: app-$(date)
  secondary-artifacts:
    Report: {files: report.xml}
    Docs: {files: [docs/**/*]}
cache: {paths: [/root/.cache/**/*]}
"""


def read(text: str) -> Buildspec:
    return parse(textwrap.dedent(text).strip() + "\n", "buildspec.yml")


def mistakes(text: str) -> list[str]:
    with pytest.raises(InvalidInput) as failure:
        read(text)
    return [str(mistake) for mistake in failure.value.diagnostics]


def test_every_construct_that_has_an_effect_is_read() -> None:
    spec = read(WHOLE.replace("files: report.xml", "files: [report.xml]"))
    assert spec.version == "0.2"
    assert spec.shell == "bash"
    assert spec.variables == {"STAGE": "test", "PYTHON": "3.10", "DEBUG": "true", "EMPTY": ""}
    assert spec.exported == ("RELEASE",)
    assert spec.runtime_versions == {"python": "3.11", "nodejs": "18.x"}
    assert spec.phases == {
        Phase.INSTALL: PhaseSpec(),
        Phase.PRE_BUILD: PhaseSpec(("true", "echo 1", "2"), (), OnFailure.CONTINUE),
        Phase.BUILD: PhaseSpec(("make", "if true; then\n  make test\nfi\n"), ("make clean",), OnFailure.ABORT),
    }
    assert spec.artifacts == ArtifactSpec(("template.yaml", "src/**/*"), "dist", ("**/.*",), True, True)
    assert spec.secondary == {"Report": ArtifactSpec(("report.xml",)), "Docs": ArtifactSpec(("docs/**/*",))}


def test_what_has_no_effect_is_named() -> None:
    spec = read(WHOLE.replace("files: report.xml", "files: [report.xml]"))
    names = [remark.split(":")[0] for remark in spec.not_applied]
    assert names == ["batch", "reports", "cache", "proxy", "artifacts.name"]


KEYS_01 = ("version", "environment_variables", "phases", "artifacts")


def test_version_0_1_has_its_own_keys() -> None:
    spec = read("""
        version: 0.1
        environment_variables: {plaintext: {A: 1}}
        phases: {build: {commands: [make]}}
        artifacts: {files: ["*"], discard-paths: yes}
    """)
    assert (spec.version, spec.variables, spec.phases[Phase.BUILD].commands) == ("0.1", {"A": "1"}, ("make",))
    assert mistakes("version: 0.1\nphases: {build: {commands: [make], finally: [x]}}\nenv: {}") == [
        "buildspec.yml:2:36: error: phases.build.finally: unknown key 'finally'; possible here: commands",
        "buildspec.yml:3:1: error: env: unknown key 'env'; possible here: " + ", ".join(KEYS_01),
    ]


def test_all_mistakes_are_found_at_once_each_at_its_place() -> None:
    found = mistakes("""
        version: 0.3
        enw: {}
        env:
          shell: zsh
          variables: {CODEBUILD_X: 1, 1A: x, L: [1]}
          exported-variables: [AWS_KEY, a-b]
          parameter-store: {P: /p}
          secrets-manager: {S: s}
          git-credential-helper: yes
        run-as: root
        phases:
          built: {commands: [x]}
          build:
            on-failure: RETRY-3
            run-as: me
            commands: [{a: b}, "", [x]]
          post_build: {finally: [x]}
        artifacts:
          discard-paths: maybe
          secondary-artifacts:
            A: {files: [../x, /y]}
            "B C": {files: []}
    """)
    where = [line.removeprefix("buildspec.yml:").split(": error: ") for line in found]
    assert [(place, text.split(": ")[0]) for place, text in where] == [
        ("1:10", "version"),
        ("2:1", "enw"),
        ("4:10", "env.shell"),
        ("5:15", "env.variables.CODEBUILD_X"),
        ("5:31", "env.variables.1A"),
        ("5:41", "env.variables.L"),
        ("6:24", "env.exported-variables[0]"),
        ("6:33", "env.exported-variables[1]"),
        ("7:3", "env.parameter-store"),
        ("8:3", "env.secrets-manager"),
        ("9:3", "env.git-credential-helper"),
        ("10:1", "run-as"),
        ("12:3", "phases.built"),
        ("14:5", "phases.build.on-failure"),
        ("15:5", "phases.build.run-as"),
        ("16:16", "phases.build.commands[0]"),
        ("16:24", "phases.build.commands[1]"),
        ("16:28", "phases.build.commands[2]"),
        ("17:3", "phases.post_build"),
        ("18:1", "artifacts"),
        ("19:18", "artifacts.discard-paths"),
        ("21:17", "artifacts.secondary-artifacts.A.files[0]"),
        ("21:23", "artifacts.secondary-artifacts.A.files[1]"),
        ("22:5", 'artifacts.secondary-artifacts["B C"]'),
        ("22:20", 'artifacts.secondary-artifacts["B C"].files'),
    ]
    assert "did you mean 'env'?" in found[1]
    assert "not supported by this version of Penstock" in found[8]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: error: a buildspec is a mapping"),
        ("- x", "1:1: error: a buildspec is a mapping"),
        ("phases: {build: {commands: [x]}}", "the key 'version' is missing"),
        ("version: 0.2", "the key 'phases' is missing"),
        ("version: 0.2\nphases:", "2:8: error: phases: this must be a mapping"),
        ("version: 0.2\nphases: {}", "there is no phase"),
        ("version: 0.2\nphases: {build: }", "phases.build: this must be a mapping"),
        ("version: 0.2\nphases: {build: {}}", "the key 'commands' is missing"),
        ("version: 0.2\nphases: {build: {commands: x}}", "phases.build.commands: this must be a list, not text"),
        ("version: 0.2\nphases: {build: {commands: [x]}}\nartifacts: {files: x}", "must be a list, not text"),
        ("version: 0.2\nphases: [\n", "error: "),
        ("version: 0.2\nversion: 0.2\nphases: {}", "the key 'version' is here twice"),
    ],
)
def test_a_text_that_is_no_buildspec_is_told_so(text: str, message: str) -> None:
    assert message in "\n".join(mistakes(text))


def test_a_command_that_yaml_takes_for_a_mapping_gets_a_hint() -> None:
    [found] = mistakes("version: 0.2\nphases:\n  build:\n    commands:\n      - echo a: b\n")
    assert found.startswith("buildspec.yml:5:9: error: phases.build.commands[0]: an item must be text, not a mapping;")
    assert "quote the whole item" in found


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
LINES = [line for line in WHOLE.splitlines() if line]


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_damaged_buildspec_is_read_or_refused_with_places(data: st.DataObject) -> None:
    """Lines dropped, swapped, cut or replaced by anything: a Buildspec, or mistakes with places, never a traceback."""
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        kind = data.draw(st.sampled_from(["drop", "cut", "replace", "double", "value"]))
        if kind == "drop" and len(lines) > 1:
            del lines[at]
        elif kind == "cut":
            lines[at] = lines[at][: data.draw(st.integers(0, len(lines[at])))]
        elif kind == "replace":
            lines[at] = data.draw(st.text(max_size=20))
        elif kind == "double":
            lines.insert(at, lines[at])
        else:
            lines[at] = f"{lines[at].split(':')[0]}: {data.draw(VALUES)!r}"
    refused = None
    try:
        parse("\n".join(lines), "buildspec.yml")
    except InvalidInput as error:
        refused = error
    assert refused is None or (refused.diagnostics and all(each.location.line >= 1 for each in refused.diagnostics))
