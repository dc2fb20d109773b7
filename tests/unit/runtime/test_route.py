"""The draw between an alias's two versions."""

from __future__ import annotations

import math
import random
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from runtime.catalog.records import Alias
from runtime.catalog.store import Catalog
from runtime.invoke.route import Route, of_alias, resolve
from runtime.names import Reference
from tests.unit.runtime.records import version

DRAWS = 10_000


def alias(weight: float) -> Route:
    """Version 1, and version 2 with this share."""
    return of_alias(Alias("orders", "live", "1", "", "r", {"2": weight}))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.99])
def test_ten_thousand_draws_lie_within_the_binomial_interval(seed: int, share: float) -> None:
    route, draw = alias(share), random.Random(seed).random
    seen = Counter(route.choose(draw) for _ in range(DRAWS))
    spread = 3.2905 * math.sqrt(DRAWS * share * (1 - share))  # 99.9 %
    assert abs(seen["2"] - DRAWS * share) <= spread
    assert set(seen) == {"1", "2"}


def test_draws_are_independent_of_each_other() -> None:
    route, draw = alias(0.5), random.Random(7).random
    ran = [route.choose(draw) for _ in range(DRAWS)]
    same = sum(1 for one, other in pairwise(ran) if one == other)
    assert abs(same - DRAWS / 2) <= 3.2905 * math.sqrt(DRAWS / 4)


@pytest.mark.parametrize(
    ("weight", "draw", "expected"), [(0.0, 0.0, "1"), (0.1, 0.0999, "2"), (0.1, 0.1, "1"), (1.0, 0.999999, "2")]
)
def test_the_edges_of_a_share_are_exact(weight: float, draw: float, expected: str) -> None:
    assert alias(weight).choose(lambda: draw) == expected


def test_an_alias_without_routing_draws_nothing() -> None:
    def never() -> float:
        raise AssertionError("nothing to draw")

    assert of_alias(Alias("orders", "live", "1", "", "r")).choose(never) == "1"


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    """`orders` with versions 1 and 2 and the alias `live`."""
    made = Catalog(tmp_path / "catalog.db")
    made.save(version(), version("1"), version("2"))
    made.save_alias(Alias("orders", "live", "1", "", "r", {"2": 0.5}))
    return made


@pytest.mark.parametrize(
    ("qualifier", "resource", "runs", "by_alias"),
    [
        (None, "orders", "$LATEST", False),
        ("$LATEST", "orders:$LATEST", "$LATEST", False),
        ("2", "orders:2", "2", False),
        ("live", "orders:live", "1", True),
    ],
)
def test_a_reference_leads_to_its_version(
    catalog: Catalog, qualifier: str | None, resource: str, runs: str, by_alias: bool
) -> None:
    route = resolve(catalog, Reference("orders", qualifier))
    assert route is not None
    assert (route.resource, route.version, route.by_alias) == (resource, runs, by_alias)


@pytest.mark.parametrize("reference", [Reference("absent"), Reference("orders", "9"), Reference("orders", "absent")])
def test_a_reference_to_nothing_leads_nowhere(catalog: Catalog, reference: Reference) -> None:
    assert resolve(catalog, reference) is None
