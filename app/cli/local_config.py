"""samconfig.toml: defaults for the options of `penstock local …`. Source: SAM CLI configuration file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import InvalidInput

_NAMES = ("samconfig.toml", "samconfig.yaml", "samconfig.yml")
_TEMPLATE = ("-t", "--template", "--template-file")
_ALIASES = {"template_file": "template"}
_LISTS = ("parameter_overrides",)


def take(arguments: Sequence[str], command: str) -> tuple[list[str], dict[str, Any]]:
    """The arguments without --config-file and --config-env, and the defaults for `command` (`local_invoke`).

    Raises:
        InvalidInput: a file that was named is not there, or one that is there cannot be read.
    """
    rest: list[str] = []
    named = {"--config-file": os.environ.get("SAM_CONFIG_FILE", ""), "--config-env": "default"}
    template = ""
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if name in named:
            named[name] = value if equals else next(words, "")
            continue
        rest.append(word)
        if name in _TEMPLATE:
            template = value if equals else next(words, "")
            rest += [] if equals else [template]
    found = _file(named["--config-file"], Path(template).parent)
    return rest, _defaults(found, named["--config-env"], command) if found is not None else {}


def _file(named: str, directory: Path) -> Path | None:
    if named:
        path = Path(named)
        if not path.is_file():
            raise InvalidInput("there is no such configuration file", where=named)
        return path
    return next((directory / name for name in _NAMES if (directory / name).is_file()), None)


def _defaults(file: Path, environment: str, command: str) -> dict[str, Any]:
    data = _read(file)
    if not isinstance(data.get("version"), float):
        raise InvalidInput("the configuration has no version, or one that is no number", where=str(file),
                           hint="write version = 0.1")  # fmt: skip
    tables = _mapping(data.get(environment))
    chosen = {**_parameters(tables, "global"), **_parameters(tables, command)}
    if os.environ.get("SAM_TEMPLATE_FILE"):
        chosen = {name: value for name, value in chosen.items() if name not in ("template", "template_file")}
    found = {_ALIASES.get(name, name): value for name, value in chosen.items()}
    for name in _LISTS:
        if name in found:
            found[name] = _listed(found[name])
    return found


def _read(file: Path) -> Mapping[str, Any]:
    try:
        raw = file.read_bytes()
    except OSError as problem:
        raise InvalidInput("the configuration cannot be read", where=str(file), why=problem.strerror or "") from None
    if file.suffix != ".toml":
        from core.document import parse_yaml

        return _mapping(parse_yaml(raw, str(file)).data)
    import tomllib

    try:
        return tomllib.loads(raw.decode("utf-8"))
    except ValueError as problem:
        raise InvalidInput("the configuration is no TOML", where=str(file), why=str(problem)) from None


def _parameters(tables: Mapping[str, Any], command: str) -> Mapping[str, Any]:
    return {
        name.replace("-", "_"): value
        for name, value in _mapping(_mapping(tables.get(command)).get("parameters")).items()
    }


def _listed(value: Any) -> list[str]:
    """Several values: one text with blanks between them, a list, or a mapping."""
    if isinstance(value, Mapping):
        return [f"{key}={item}" for key, item in value.items()]
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
