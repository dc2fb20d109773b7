"""The catalog in memory and on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runtime.catalog.documents import (
    ALL,
    Document,
    EventInvokeConfig,
    EventSourceMapping,
    FunctionUrl,
    LayerPolicy,
    LayerVersion,
    Policy,
    ProvisionedConcurrency,
    RecursionConfig,
    ReservedConcurrency,
)
from runtime.catalog.records import Alias, LayerUse
from runtime.catalog.store import Catalog, Change
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


DOCUMENTS: tuple[Document, ...] = (
    Policy("orders", "live", ({"Sid": "a"},), "r"),
    ReservedConcurrency("orders", 7),
    ProvisionedConcurrency("orders", "1", 2, "t"),
    EventInvokeConfig("orders", "$LATEST", 1.5, 0, 60, "", "arn:x"),
    FunctionUrl("orders", "", "abc", "NONE", "t", "t", cors={"MaxAge": 1}),
    RecursionConfig("orders", "Allow"),
    EventSourceMapping("u-1", "orders", "", "arn:q", {"BatchSize": 10}, True, "Enabled", 2.5, tags={"a": "b"}),
    LayerVersion("base", 1, "d", "AAAA", 1, 2, "t", ("python3.11",), ("x86_64",)),
    LayerPolicy("base", 1, ({"Sid": "a"},), "r"),
)


def test_every_kind_of_document_is_kept_and_found_again(tmp_path: Path) -> None:
    assert {type(record) for record in DOCUMENTS} == set(ALL)
    Catalog(tmp_path / "c.db").put(*DOCUMENTS)
    again = Catalog(tmp_path / "c.db")
    assert [again.find(type(record), record.owner, record.key) for record in DOCUMENTS] == list(DOCUMENTS)
    assert again.reserved("orders") == 7
    assert again.reserved("other") is None
    assert again.policy("orders", "live") == DOCUMENTS[0]
    assert again.policy("orders", None) is None
    assert again.event_invoke_config("orders", None) == DOCUMENTS[3]
    assert again.mappings() == [DOCUMENTS[6]]


def test_with_a_function_goes_what_is_attached_to_it_but_not_its_mappings(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "c.db")
    catalog.save(version(), version("1"))
    catalog.put(*DOCUMENTS, ReservedConcurrency("other", 1))
    catalog.delete_version("orders", "1")
    assert catalog.provisioned("orders", "1") is None
    catalog.delete_alias("orders", "live")
    assert catalog.policy("orders", "live") is None
    catalog.delete_function("orders")
    for kept in (catalog, Catalog(tmp_path / "c.db")):
        left = {type(record) for kind in ALL for record in kept.all(kind) if record.owner != "other"}
        assert left == {EventSourceMapping, LayerVersion, LayerPolicy}
        assert kept.reserved("other") == 1


def test_a_layer_number_is_never_used_twice(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "c.db")
    catalog.put(DOCUMENTS[7])
    catalog.remove(LayerVersion, "base", "1")
    assert catalog.next_layer_number("base") == 2
    assert catalog.all(LayerVersion) == []


def test_a_version_keeps_the_layers_it_uses(tmp_path: Path) -> None:
    used = replace(version(), layers=(LayerUse("arn:l:1", "BBBB", 3, 4),))
    Catalog(tmp_path / "c.db").save(used)
    assert Catalog(tmp_path / "c.db").version("orders", "$LATEST") == used
    assert used.packages == ("AAAA", "BBBB")


def test_followers_hear_of_every_change_and_cannot_undo_one(tmp_path: Path) -> None:
    catalog, heard = Catalog(tmp_path / "c.db"), list[Change]()

    def broken(change: Change) -> None:
        raise RuntimeError(change)

    catalog.on_change(broken)
    catalog.on_change(heard.append)
    catalog.save(version(), version("1"))
    catalog.save_alias(Alias("orders", "live", "1", "", "r"))
    catalog.put(ReservedConcurrency("orders", 7))
    catalog.remove(ReservedConcurrency, "orders")
    catalog.remove(ReservedConcurrency, "orders")
    catalog.save_tags("orders", {})
    catalog.delete_alias("orders", "live")
    catalog.delete_version("orders", "1")
    catalog.delete_function("orders")
    assert heard == [
        Change("function", "orders", "$LATEST"),
        Change("function", "orders", "1"),
        Change("alias", "orders", "live"),
        Change("concurrency", "orders"),
        Change("concurrency", "orders"),
        Change("tags", "orders"),
        Change("alias", "orders", "live"),
        Change("function", "orders", "1"),
        Change("function", "orders"),
    ]


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
