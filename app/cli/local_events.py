"""`penstock local generate-event`: words and flags are read here, because every event has flags of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.cli import printer
from app.sam_local import generate
from app.sam_local.generate import Event
from core.errors import InvalidInput

_COMMAND = "penstock local generate-event"
_HELP = ("-h", "--help")
_NOT_FIELDS = ("--debug",)


def run(words: Sequence[str]) -> int:
    """Print the event, or what there is to choose from; the exit code."""
    wanted_help = any(word in _HELP for word in words)
    names = [word for word in words if word not in (*_HELP, *_NOT_FIELDS)]
    command = _COMMAND
    try:
        if not names:
            printer.lines(_services())
            return 0 if wanted_help else 2
        service = names.pop(0)
        command = f"{_COMMAND} {service}"
        if not names or names[0].startswith("-"):
            printer.lines(_events(service))
            return 0 if wanted_help else 2
        event = generate.load(service, names.pop(0))
        command = f"{command} {event.name}"
        if wanted_help:
            printer.lines(_fields(event))
            return 0
        printer.document(generate.generate(event, _flags(names)))
        return 0
    except InvalidInput as mistake:
        return printer.usage(str(mistake), command)


def _flags(words: Sequence[str]) -> dict[str, str]:
    """name → value of `--name value` and `--name=value`."""
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            raise InvalidInput(f"Got unexpected extra argument ({word})")
        name, equals, value = word[2:].partition("=")
        if not equals:
            if not rest:
                raise InvalidInput(f"Option '{word}' requires an argument.")
            value = rest.pop(0)
        found[name] = value
    return found


def _services() -> Iterator[str]:
    yield f"Usage: {_COMMAND} SERVICE EVENT [--FIELD VALUE]..."
    yield ""
    yield "  Print a sample event of a service, as its functions get it."
    yield ""
    yield f"  Example: {_COMMAND} s3 put --bucket photos --key cat.jpg | penstock local invoke -e -"
    yield ""
    yield "Services:"
    for service, events in generate.services().items():
        yield f"  {service:20}{', '.join(events) if len(events) < 8 else f'{len(events)} events'}"


def _events(service: str) -> Iterator[str]:
    if service not in generate.services():
        generate.load(service, "")
    yield f"Usage: {_COMMAND} {service} EVENT [--FIELD VALUE]..."
    yield ""
    yield "Events:"
    for name in generate.services()[service]:
        yield f"  {name:46}{generate.load(service, name).help}"


def _fields(event: Event) -> Iterator[str]:
    yield f"Usage: {_COMMAND} {event.service} {event.name} [--FIELD VALUE]..."
    yield ""
    yield f"  {event.help}"
    yield ""
    yield "Options:"
    for field in event.fields.values():
        encoded = f", {field.encoding.replace('+', ' and ')}-encoded in the event" if field.encoding else ""
        yield f"  --{field.name:22}{field.help}{encoded} [default: {field.default}]"
