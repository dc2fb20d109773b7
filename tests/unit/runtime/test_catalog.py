"""The catalog in memory and on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.catalog.records import Alias
from runtime.catalog.store import Catalog
from runtime.control.paging import page
from tests.unit.runtime.records import version


def test_what_was_saved_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    first = Catalog(tmp_path / "c.db")
    alias = Alias("orders", "live", "1", "d", "r", {"2": 0.25})
    first.save(version(), version("1"), version("10"), version("2"))
    first.save_alias(alias)
    first.save_tags("orders", {"a": "b"})
    again = Catalog(tmp_path / "c.db")
    assert again.versions("orders") == first.versions("orders")
    assert [each.version for each in again.versions("orders")] == ["$LATEST", "1", "2", "10"]
    assert again.aliases("orders") == [alias]
    assert again.tags("orders") == {"a": "b"}


def test_a_version_number_is_never_used_twice_not_even_after_deletion(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "c.db")
    assert catalog.next_number("orders") == 1
    catalog.save(version(), version("1"), version("2"))
    catalog.delete_version("orders", "2")
    assert catalog.next_number("orders") == 3
    catalog.delete_function("orders")
    assert catalog.versions("orders") == []
    assert Catalog(tmp_path / "c.db").next_number("orders") == 3


def test_every_change_moves_the_generation(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "c.db")
    seen = [catalog.generation]
    catalog.save(version())
    seen.append(catalog.generation)
    catalog.save_alias(Alias("orders", "live", "$LATEST", "", "r"))
    seen.append(catalog.generation)
    catalog.delete_alias("orders", "live")
    seen.append(catalog.generation)
    assert seen == sorted(set(seen))


def test_pages_follow_each_other_to_the_end() -> None:
    items, marker, found = list(range(5)), None, []
    while True:
        shown, marker = page(items, marker, 2)
        found.append(shown)
        if marker is None:
            break
    assert found == [[0, 1], [2, 3], [4]]


def test_a_marker_of_somebody_else_is_refused() -> None:
    with pytest.raises(Exception, match="Invalid Marker"):
        page([1], "nonsense!", None)
