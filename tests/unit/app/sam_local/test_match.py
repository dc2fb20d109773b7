"""Which route a request takes."""

from __future__ import annotations

import pytest

from app.sam_local.gateway.match import Match, NoMatch, find, methods_of
from tests.fakes.http_requests import api

ROUTES = (
    ("GET", "/"),
    ("GET", "/orders"),
    ("ANY", "/orders/{id}"),
    ("GET", "/orders/latest"),
    ("GET", "/orders/{id}/lines/{line}"),
    ("ANY", "/files/{proxy+}"),
    ("POST", "/files/upload"),
)


@pytest.mark.parametrize(
    ("method", "path", "pattern", "parameters"),
    [
        ("GET", "/", "/", {}),
        ("GET", "/orders", "/orders", {}),
        ("GET", "/orders/", "/orders", {}),
        ("GET", "/orders/7", "/orders/{id}", {"id": "7"}),
        ("DELETE", "/orders/7", "/orders/{id}", {"id": "7"}),
        ("GET", "/orders/latest", "/orders/latest", {}),
        ("GET", "/orders/a%20b/lines/%C3%A9", "/orders/{id}/lines/{line}", {"id": "a b", "line": "é"}),
        ("PUT", "/files/a/b/c", "/files/{proxy+}", {"proxy": "a/b/c"}),
        ("POST", "/files/upload", "/files/upload", {}),
    ],
)
@pytest.mark.parametrize("kind", ["rest", "http"])
def test_the_most_specific_route_is_taken(
    kind: str, method: str, path: str, pattern: str, parameters: dict[str, str]
) -> None:
    """In both kinds of API; variables are decoded."""
    found = find([api(*ROUTES, kind=kind)], method, path)
    assert isinstance(found, Match)
    assert (found.route.path, found.parameters) == (pattern, parameters)


def test_a_rest_api_chooses_the_resource_before_the_method() -> None:
    """POST on the most specific resource is refused although a less specific one would take it."""
    assert isinstance(find([api(*ROUTES)], "DELETE", "/orders/latest"), NoMatch)
    assert isinstance(find([api(*ROUTES)], "PUT", "/files/upload"), NoMatch)


def test_an_http_api_goes_on_to_a_route_whose_method_fits() -> None:
    """First one with variables, then a greedy one, then $default."""
    of = api(*ROUTES, ("ANY", "$default"), kind="http", stage="$default")
    for method, path, pattern in (
        ("DELETE", "/orders/latest", "/orders/{id}"),
        ("PUT", "/files/upload", "/files/{proxy+}"),
        ("POST", "/orders", "$default"),
        ("GET", "/nowhere", "$default"),
    ):
        found = find([of], method, path)
        assert isinstance(found, Match)
        assert found.route.path == pattern


def test_a_specific_method_wins_over_any() -> None:
    """On the same path."""
    for kind in ("rest", "http"):
        found = find([api(("ANY", "/x"), ("GET", "/x"), kind=kind)], "GET", "/x")
        assert isinstance(found, Match)
        assert found.route.method == "GET"


def test_a_greedy_variable_needs_something_to_hold() -> None:
    """`/files` is not `/files/{proxy+}`."""
    assert isinstance(find([api(("ANY", "/files/{proxy+}"))], "GET", "/files"), NoMatch)
    assert isinstance(find([api(("ANY", "/{proxy+}"))], "GET", "/"), NoMatch)


def test_apis_are_asked_in_turn_and_defaults_last() -> None:
    """A `$default` of the first does not hide a route of the second."""
    first = api(("ANY", "$default"), kind="http", logical_id="First")
    second = api(("GET", "/x"), logical_id="Second")
    found, other = find([first, second], "GET", "/x"), find([first, second], "GET", "/y")
    assert isinstance(found, Match)
    assert isinstance(other, Match)
    assert (found.api.logical_id, other.api.logical_id) == ("Second", "First")


def test_the_methods_of_a_path_are_known() -> None:
    """For preflights."""
    assert methods_of([api(*ROUTES)], "/files/upload")[1] == ("ANY", "POST")
    assert methods_of([api(*ROUTES)], "/nowhere") == (None, ("ANY",))
