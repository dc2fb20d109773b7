"""A buildspec's text as frozen values, with every mistake at its place. Versions 0.1 and 0.2.

What only AWS can do, or a later version will (secret stores, run-as, RETRY), is refused. What a build can do without
(batch, reports, cache, proxy, an artifact's own name) is accepted and named in `Buildspec.not_applied`, so that the
log can say so. Source: CodeBuild buildspec reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.document import Path
from core.errors import InvalidInput
from stages.build import globs
from stages.build.fields import Fields
from stages.build.phases import COMMAND_PHASES, OnFailure, Phase

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IDENTIFIER = re.compile(r"[A-Za-z0-9_\-]+")
_SHELLS = {"bash": "bash", "/bin/bash": "bash", "sh": "/bin/sh", "/bin/sh": "/bin/sh"}
_TOP_LEVEL = ("version", "run-as", "env", "proxy", "batch", "phases", "reports", "artifacts", "cache")
_TOP_LEVEL_01 = ("version", "environment_variables", "phases", "artifacts")
_ENV = (
    *("shell", "variables", "parameter-store", "secrets-manager"),
    *("exported-variables", "git-credential-helper"),
)
_PHASE = ("run-as", "on-failure", "commands", "finally")
_ARTIFACT = (
    *("files", "name", "discard-paths", "base-directory", "exclude-paths", "enable-symlinks", "s3-prefix"),
    "type",
)
_PHASE_KEYS = {phase.value.lower(): phase for phase in COMMAND_PHASES}


@dataclass(frozen=True, slots=True)
class PhaseSpec:
    """One phase's commands, those that run after them in every case, and what its failure means."""

    commands: tuple[str, ...] = ()
    finally_: tuple[str, ...] = ()
    on_failure: OnFailure = OnFailure.DEFAULT


@dataclass(frozen=True, slots=True)
class ArtifactSpec:
    """Which files make an artifact; `base_directory` "" is the source's root."""

    files: tuple[str, ...]
    base_directory: str = ""
    exclude_paths: tuple[str, ...] = ()
    discard_paths: bool = False
    enable_symlinks: bool = False


@dataclass(frozen=True, slots=True)
class Buildspec:
    """A buildspec without mistakes. `shell` is a program; `not_applied` names accepted keys without an effect here."""

    version: Literal["0.1", "0.2"]
    phases: Mapping[Phase, PhaseSpec]
    shell: str = "/bin/sh"
    variables: Mapping[str, str] = field(default_factory=dict)
    exported: tuple[str, ...] = ()
    runtime_versions: Mapping[str, str] = field(default_factory=dict)
    artifacts: ArtifactSpec | None = None
    secondary: Mapping[str, ArtifactSpec] = field(default_factory=dict)
    not_applied: tuple[str, ...] = ()


def parse(text: str, file: str) -> Buildspec:
    """The buildspec in `text`; `file` is the name that messages use.

    Raises:
        InvalidInput: every mistake, each with line and column.
    """
    fields = Fields(text, file)
    version = _version(fields)
    spec = _Parser(fields, version).buildspec()
    if fields.mistakes:
        raise InvalidInput.of(sorted(fields.mistakes, key=lambda mistake: mistake.location))
    return spec


def _version(fields: Fields) -> Literal["0.1", "0.2"]:
    if not isinstance(fields.value(()), dict):
        fields.mistake((), "a buildspec is a mapping that begins with 'version: 0.2'")
    elif not fields.has(("version",)):
        fields.mistake((), "the key 'version' is missing", "begin with 'version: 0.2'")
    else:
        written = fields.text(("version",))
        if written == "0.1":
            return "0.1"
        if written != "0.2":
            fields.mistake(("version",), f"there is no buildspec version '{written}'", "use 0.2")
    return "0.2"


class _Parser:
    """One pass over the top-level keys; what is accepted without an effect is noted as it is met."""

    def __init__(self, fields: Fields, version: Literal["0.1", "0.2"]) -> None:
        self._fields = fields
        self._version: Literal["0.1", "0.2"] = version
        self._not_applied: list[str] = []
        self._runtimes: dict[str, str] = {}

    def buildspec(self) -> Buildspec:
        fields = self._fields
        old = self._version == "0.1"
        if isinstance(fields.value(()), dict):
            fields.mapping((), _TOP_LEVEL_01 if old else _TOP_LEVEL)
        if fields.has(("run-as",)) and not old:
            fields.unsupported(("run-as",), "run-as")
        shell, exported = ("/bin/sh", ()) if old else self._env()
        variables = ("environment_variables", "plaintext") if old else ("env", "variables")
        if old:
            fields.mapping(("environment_variables",), ("plaintext",))
        self._without_effect()
        return Buildspec(
            version=self._version,
            phases=self._phases(),
            shell=shell,
            variables=fields.text_map(variables, _variable_problem),
            exported=exported,
            runtime_versions=self._runtimes,
            artifacts=self._artifact(("artifacts",), secondary_allowed=True) if fields.has(("artifacts",)) else None,
            secondary=self._secondary(),
            not_applied=tuple(self._not_applied),
        )

    def _env(self) -> tuple[str, tuple[str, ...]]:
        fields = self._fields
        env = fields.mapping(("env",), _ENV)
        for key in ("parameter-store", "secrets-manager"):
            if key in env:
                fields.unsupported(("env", key), key, "pass the value in the action's environmentVariables")
        if fields.flag(("env", "git-credential-helper")):
            fields.unsupported(("env", "git-credential-helper"), "git-credential-helper: yes")
        exported = fields.texts(("env", "exported-variables"))
        for index, name in enumerate(exported):
            problem = "" if not name else _export_problem(name)
            if problem:
                fields.mistake(("env", "exported-variables", index), problem)
        shell = fields.text(("env", "shell")) or "/bin/sh"
        if shell not in _SHELLS:
            fields.mistake(("env", "shell"), f"'{shell}' is no shell on Linux", "use bash or /bin/sh")
        return _SHELLS.get(shell, "/bin/sh"), exported

    def _phases(self) -> dict[Phase, PhaseSpec]:
        fields = self._fields
        if not fields.has(("phases",)):
            if isinstance(fields.value(()), dict):
                fields.mistake((), "the key 'phases' is missing")
            return {}
        written = fields.mapping(("phases",), tuple(_PHASE_KEYS), required=True)
        if not written and isinstance(fields.value(("phases",)), dict):
            fields.mistake(("phases",), "there is no phase", f"use {', '.join(_PHASE_KEYS)}")
        return {phase: self._phase(key) for key, phase in _PHASE_KEYS.items() if key in written}

    def _phase(self, key: str) -> PhaseSpec:
        fields, path = self._fields, ("phases", key)
        known = ("commands",) if self._version == "0.1" else _PHASE
        if key == "install":
            known = (*known, "runtime-versions")
            self._runtimes = fields.text_map((*path, "runtime-versions"), lambda _name: "")
        written = fields.mapping(path, known, required=True)
        if "run-as" in written and "run-as" in known:
            fields.unsupported((*path, "run-as"), "run-as")
        if key != "install" and "commands" not in written and isinstance(fields.value(path), dict):
            fields.mistake(path, "the key 'commands' is missing", key=True)
        return PhaseSpec(
            commands=fields.texts((*path, "commands")),
            finally_=fields.texts((*path, "finally")),
            on_failure=self._on_failure((*path, "on-failure")),
        )

    def _on_failure(self, path: Path) -> OnFailure:
        word = self._fields.text(path).upper()
        if word.startswith("RETRY"):
            self._fields.unsupported(path, f"on-failure {word}", "use ABORT or CONTINUE")
        elif word in (OnFailure.ABORT, OnFailure.CONTINUE):
            return OnFailure(word)
        elif self._fields.has(path):
            self._fields.mistake(path, f"there is no on-failure '{word}'", "use ABORT or CONTINUE")
        return OnFailure.DEFAULT

    def _artifact(self, path: Path, *, secondary_allowed: bool = False) -> ArtifactSpec:
        fields = self._fields
        known = (*_ARTIFACT, "secondary-artifacts") if secondary_allowed else _ARTIFACT
        fields.mapping(path, known, required=True)
        for key in ("name", "s3-prefix", "type"):
            if fields.has((*path, key)):
                self._not_applied.append(
                    f"{'.'.join(map(str, path))}.{key}: the pipeline names and keeps its artifacts"
                )
        if not fields.has((*path, "files")) and isinstance(fields.value(path), dict):
            fields.mistake(path, "the key 'files' is missing", key=True)
        files = fields.texts((*path, "files"), required=fields.has((*path, "files")))
        exclude = fields.texts((*path, "exclude-paths"))
        for key, patterns in (("files", files), ("exclude-paths", exclude)):
            for index, pattern in enumerate(patterns):
                self._check_pattern((*path, key, index), pattern)
        return ArtifactSpec(
            files=files,
            base_directory=fields.text((*path, "base-directory")),
            exclude_paths=exclude,
            discard_paths=fields.flag((*path, "discard-paths")),
            enable_symlinks=fields.flag((*path, "enable-symlinks")),
        )

    def _check_pattern(self, path: Path, pattern: str) -> None:
        if globs.leaves(pattern):
            self._fields.mistake(path, f"'{pattern}' leaves the base directory", "set base-directory instead")

    def _secondary(self) -> dict[str, ArtifactSpec]:
        path = ("artifacts", "secondary-artifacts")
        found = {}
        for name in self._fields.mapping(path):
            if not _IDENTIFIER.fullmatch(name):
                self._fields.mistake((*path, name), f"'{name}' is no artifact name", key=True)
            found[name] = self._artifact((*path, name))
        return found

    def _without_effect(self) -> None:
        """Check the rough shape of what is accepted without an effect, and note it."""
        reasons = {
            "batch": "only batch builds use it",
            "reports": "this version keeps no test reports",
            "cache": "this version keeps no build cache",
            "proxy": "nothing is sent through a proxy of ours",
        }
        for key, reason in reasons.items():
            if self._version == "0.2" and self._fields.has((key,)):
                self._fields.mapping((key,), required=True)
                self._not_applied.append(f"{key}: {reason}")


def _variable_problem(name: str) -> str:
    if not _NAME.fullmatch(name):
        return f"'{name}' is no name for a variable: letters, digits and _ only"
    return f"'{name}': names that begin with CODEBUILD_ are reserved" if name.startswith("CODEBUILD_") else ""


def _export_problem(name: str) -> str:
    if not _NAME.fullmatch(name):
        return f"'{name}' is no name for a variable: letters, digits and _ only"
    return f"'{name}': AWS_ variables cannot be exported" if name.startswith("AWS_") else ""
