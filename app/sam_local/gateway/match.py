"""Which route of which API a request takes. Pure.

Source: API Gateway developer guide: REST APIs choose the most specific resource, then its method; HTTP APIs choose
the most specific route whose method fits, then a greedy one, then $default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from sam.local.model import Api, Route

_DEFAULT = "$default"
_EXACT, _VARIABLE, _GREEDY = 0, 1, 2
_ALL = "ANY"


@dataclass(frozen=True, slots=True)
class Match:
    """The route, and what its path variables are."""

    api: Api
    route: Route
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NoMatch:
    """No route takes it. `api` is the one whose words the answer takes; `methods` are those the path has."""

    api: Api | None
    methods: tuple[str, ...] = ()


def find(apis: Sequence[Api], method: str, path: str) -> Match | NoMatch:
    """The route for a request with that method and (undecoded) path: the APIs are asked in turn, `$default`s last."""
    refused: NoMatch | None = None
    for api in apis:
        found = _in_rest(api, method, path) if api.kind == "rest" else _in_http(api, method, path)
        if isinstance(found, Match):
            return found
        if found.methods and refused is None:
            refused = found
    for api in apis:
        for route in api.routes:
            if route.path == _DEFAULT:
                return Match(api, route)
    return refused or NoMatch(apis[0] if apis else None)


def methods_of(apis: Sequence[Api], path: str) -> tuple[Api | None, tuple[str, ...]]:
    """The API that has the path, with every method it has there; else one with a route `$default`."""
    for api in apis:
        methods = [route.method for route in api.routes if _fit(route.path, path) is not None]
        if methods:
            return api, tuple(dict.fromkeys(methods))
    return next((api for api in apis if any(route.path == _DEFAULT for route in api.routes)), None), ("ANY",)


def _in_rest(api: Api, method: str, path: str) -> Match | NoMatch:
    fits = _fits(api, path)
    if not fits:
        return NoMatch(api)
    best = fits[0][0]
    of_resource = [(route, parameters) for rank, route, parameters in fits if rank == best]
    for wanted in (method, _ALL):
        for route, parameters in of_resource:
            if route.method == wanted:
                return Match(api, route, parameters)
    return NoMatch(api, tuple(route.method for route, _ in of_resource))


def _in_http(api: Api, method: str, path: str) -> Match | NoMatch:
    fits = _fits(api, path)
    for greedy in (False, True):
        for wanted in (method, _ALL):
            for rank, route, parameters in fits:
                if (_GREEDY in rank) is greedy and route.method == wanted:
                    return Match(api, route, parameters)
    return NoMatch(api, tuple(route.method for _, route, _ in fits))


def _fits(api: Api, path: str) -> list[tuple[tuple[int, ...], Route, Mapping[str, str]]]:
    """(rank, route, variables) of every route whose path fits, the most specific first."""
    found = []
    for route in api.routes:
        fit = _fit(route.path, path)
        if fit is not None:
            found.append((fit[0], route, fit[1]))
    return sorted(found, key=lambda each: each[0])


def _fit(pattern: str, path: str) -> tuple[tuple[int, ...], dict[str, str]] | None:
    """(how specific each segment is, variables) when `path` fits; None otherwise."""
    if pattern == _DEFAULT:
        return None
    wanted, given = _segments(pattern), _segments(path)
    ranks: list[int] = []
    variables: dict[str, str] = {}
    for index, segment in enumerate(wanted):
        if segment.startswith("{") and segment.endswith("+}"):
            rest = given[index:]
            if not rest:
                return None
            variables[segment[1:-2]] = unquote("/".join(rest))
            return (*ranks, _GREEDY), variables
        if index >= len(given):
            return None
        if segment.startswith("{") and segment.endswith("}"):
            ranks.append(_VARIABLE)
            variables[segment[1:-1]] = unquote(given[index])
        elif segment == unquote(given[index]):
            ranks.append(_EXACT)
        else:
            return None
    return (tuple(ranks), variables) if len(given) == len(wanted) else None


def _segments(path: str) -> list[str]:
    """A trailing slash is no segment of its own."""
    stripped = path.strip("/")
    return stripped.split("/") if stripped else []
