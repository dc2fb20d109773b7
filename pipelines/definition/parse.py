"""From a pipeline.yaml's text to a definition, or to every mistake in it at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from core.document import Path, parse_bytes
from core.errors import InvalidInput, NotFound
from pipelines.definition import check
from pipelines.definition.build import build
from pipelines.definition.comments import swallowed_references
from pipelines.definition.mistakes import Mistake, from_pydantic, value_at
from pipelines.definition.model import PipelineDefinition
from pipelines.definition.shape import KEYS, adapter
from pipelines.definition.view import Catalog, view

_NOT_SERVED = {
    "webhook": "triggers are push and schedule",
    "pullRequest": "triggers are push and schedule",
    "beforeEntry": "",
    "onSuccess": "",
    "conditions": "write result: ROLLBACK or result: RETRY alone",
    "blockers": "",
    "region": "give the target its region under targets",
    "roleArn": "give the target its roleArn under targets",
    "artifactStore": "artifacts are kept in PENSTOCK_HOME",
    "artifactStores": "artifacts are kept in PENSTOCK_HOME",
    "pipelineType": "every pipeline is of type V2",
    "gitConfiguration": "write push: {branches: {includes: [main]}}",
    "providerType": "write push: {branches: {includes: [main]}}",
}

# AWS's long forms, and how the same is written here.
_SHORT_FORMS = {
    "actionTypeId": "write provider: CodeBuild, the provider's name alone",
    "variables": "write a mapping, name: {default: value}",
    "environmentVariables": "write a mapping, NAME: value",
    "inputArtifacts": "write the name itself, without 'name:'",
    "outputArtifacts": "write the name itself, without 'name:'",
}


def load(text: str, file: str, *, catalog: Catalog, provider_names: Sequence[str]) -> PipelineDefinition:
    """The pipeline in `text`; `file` is what messages call it. `provider_names` are for suggestions.

    Raises:
        InvalidInput: every mistake, each with its place, in the order of the file.
    """
    return _checked(text.encode("utf-8", "surrogatepass"), file, catalog, provider_names)


def load_file(path: FilePath, *, catalog: Catalog, provider_names: Sequence[str]) -> PipelineDefinition:
    """The pipeline in the file at `path`.

    Raises:
        NotFound: there is no such file.
        InvalidInput: it cannot be read, or as `load`.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise NotFound("there is no such file", where=str(path), hint="create a pipeline.yaml") from None
    except OSError as error:
        raise InvalidInput("the file cannot be read", where=str(path), why=error.strerror or str(error)) from None
    return _checked(raw, str(path), catalog, provider_names)


def _checked(raw: bytes, file: str, catalog: Catalog, provider_names: Sequence[str]) -> PipelineDefinition:
    document = parse_bytes(raw, file)
    data = document.data
    if data is None:
        raise InvalidInput.of([Mistake((), "the file is empty", "begin with version: 1").diagnostic(document)])
    found = list(_structural(data))
    found += check.mistakes(view(data, catalog), provider_names)
    diagnostics = dict.fromkeys(mistake.diagnostic(document) for mistake in found)
    if not file.endswith(".json"):
        diagnostics |= dict.fromkeys(swallowed_references(raw.decode("utf-8").removeprefix("\ufeff"), file))
    if diagnostics:
        raise InvalidInput.of(sorted(diagnostics, key=lambda diagnostic: diagnostic.location))
    return build(data, catalog)


def _structural(data: Any) -> Iterator[Mistake]:
    """What the shape says against `data`."""
    try:
        adapter().validate_python(data)
    except ValidationError as error:
        for mistake in from_pydantic(error.errors(include_url=False), data, _known_keys):
            yield _in_our_words(mistake, data)


def _in_our_words(mistake: Mistake, data: Any) -> Mistake:
    path, name = mistake.path, _last_name(mistake.path)
    if mistake.at_key and mistake.what.startswith("unknown key"):
        if name in _NOT_SERVED:
            what = f"'{name}' is not supported by this version of Penstock"
            return replace(mistake, what=what, hint=_NOT_SERVED[name])
        return replace(mistake, hint=_SHORT_FORMS.get(name, mistake.hint))
    if path == ("version",) and not mistake.what.startswith("the key"):
        return replace(mistake, what="the version of this file format must be 1", hint="write version: 1")
    if name in _SHORT_FORMS and mistake.what.startswith("must be"):
        long_form = isinstance(value_at(data, path), dict if isinstance(path[-1], int) else list)
        return replace(mistake, hint=_SHORT_FORMS[name]) if long_form else mistake
    return mistake


def _last_name(path: Path) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def _known_keys(path: Path) -> Sequence[str]:
    """The keys of the mapping at `path` of a pipeline file."""
    return KEYS.get(tuple("*" if isinstance(step, int) else step for step in _without_names(path)), ())


def _without_names(path: Path) -> Path:
    """`path` with the user's own names, of variables and targets, as `*`."""
    if len(path) > 1 and path[0] in ("variables", "targets"):
        return (path[0], "*", *path[2:])
    return path
