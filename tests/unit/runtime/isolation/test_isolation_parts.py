"""Small parts of isolation: who is at the other end, user ids, memory, layers, variables, what is said."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from runtime.isolation import peers
from runtime.isolation.inside.become import needs_fresh
from runtime.isolation.inside.bootstrap import first
from runtime.isolation.layers import merge
from runtime.isolation.memory import Shared, used_mb
from runtime.isolation.peers import peer_uid
from runtime.isolation.users import Users

MB = 1 << 20


def test_the_user_at_the_other_end_of_a_connection_is_known() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        accepted, peer = server.accept()
        with accepted:
            assert peer_uid(peer, server.getsockname()) == os.getuid()
            assert peers._listed(peer, server.getsockname()) == os.getuid()
        assert client.getsockname() == peer


def test_nobody_is_at_the_other_end_of_no_connection() -> None:
    assert peer_uid(("127.0.0.1", 1), ("127.0.0.1", 2)) is None
    assert peers._listed(("127.0.0.1", 1), ("127.0.0.1", 2)) is None


def test_two_servers_have_different_user_ids() -> None:
    first, second = Users(900_000, 900_511), Users(900_000, 900_511)
    try:
        assert not set(first.range) & set(second.range)
    finally:
        first.close()
        second.close()


def test_a_range_that_is_claimed_has_no_more() -> None:
    first = Users(910_000, 910_255, 256)
    try:
        assert len(first.range) == 256
        with pytest.raises(OSError, match="are free"):
            Users(910_000, 910_255)
    finally:
        first.close()
    again = Users(910_000, 910_255)
    again.close()


def test_a_user_id_is_used_again_as_late_as_possible() -> None:
    users = Users(920_000, 920_127)
    try:
        first = users.take()
        users.give_back(first)
        others = [users.take() for _ in range(127)]
        assert first not in others
        assert users.take() == first
        with pytest.raises(OSError, match="in use"):
            users.take()
    finally:
        users.close()


@pytest.mark.parametrize(
    ("counted", "resident", "imported", "used"),
    [
        (6 * MB, 50 * MB, 0.0, 21),  # a plain handler: the interpreter and its own
        (6 * MB, 50 * MB, 1.0, 41),  # it imported all that was preloaded
        (200 * MB, 80 * MB, 0.0, 60),  # the group holds cached files as well
        (None, 80 * MB, 1.0, 80),
        (None, 80 * MB, 0.0, 60),
    ],
)
def test_memory_is_counted_as_if_nothing_were_shared(
    counted: int | None, resident: int, imported: float, used: int
) -> None:
    assert used_mb(counted, resident, Shared(base=15 * MB, preloaded=20 * MB), imported) == used


def test_a_process_that_was_started_for_itself_shares_nothing() -> None:
    assert used_mb(70 * MB, 64 * MB, Shared(), 0.0) == 64


def test_later_layers_lie_over_earlier_ones(tmp_path: Path) -> None:
    first, second, merged = (tmp_path / name for name in ("first", "second", "merged"))
    for layer, files in ((first, ("a", "b/c", "d", "e/f")), (second, ("b/c", "b/x", "d/y", "e"))):
        for file in files:
            (layer / file).parent.mkdir(parents=True, exist_ok=True)
            (layer / file).write_text(layer.name)
    assert merge((first, second), merged) == merged
    found = {str(path.relative_to(merged)): path.read_text() for path in merged.rglob("*") if path.is_file()}
    assert found == {"a": "first", "b/c": "second", "b/x": "second", "d/y": "second", "e": "second"}
    assert merge((first,), tmp_path / "unused") == first
    assert list(merge((), tmp_path / "none").iterdir()) == []


TEMPLATE = {"LANG": "en_US.UTF-8", "LD_LIBRARY_PATH": "/var/runtime:/var/task:/var/task/lib:/opt/lib"}


@pytest.mark.parametrize(
    ("more", "fresh"),
    [
        ({}, False),
        ({"COLOUR": "blue", "TZ": "Europe/Paris", "HOME": "/tmp"}, False),
        ({"PYTHONPATH": "/var/task/vendor"}, False),
        ({"LD_LIBRARY_PATH": "/var/task:/opt/lib"}, False),
        ({"LD_LIBRARY_PATH": "/var/task/deps:/opt/lib"}, True),
        ({"LD_PRELOAD": "/opt/lib/x.so"}, True),
        ({"PYTHONHASHSEED": "0"}, True),
        ({"PYTHONWARNINGS": "error"}, True),
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LC_ALL": "C"}, True),
        ({"MALLOC_ARENA_MAX": "2"}, True),
        ({"OPENSSL_CONF": "/var/task/openssl.cnf"}, True),
    ],
)
def test_what_only_a_start_heeds_needs_a_fresh_interpreter(more: dict[str, str], fresh: bool) -> None:
    assert needs_fresh({"LANG": "en_US.UTF-8", "LD_LIBRARY_PATH": "/var/task", **more}, TEMPLATE) is fresh


def test_a_handler_s_modules_are_looked_for_in_its_code_then_layers_then_the_runtime() -> None:
    environment = {
        "LAMBDA_TASK_ROOT": "/var/task",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "PYTHONPATH": "/var/runtime",
    }
    layers = ["/opt/python/lib/python3.13/site-packages", "/opt/python"]
    assert first(environment, "/opt") == ["/var/task", *layers, "/var/runtime"]
    own = environment | {"PYTHONPATH": "/var/task/lib:/var/runtime"}
    assert first(own, "/opt") == ["/var/task", "/var/task/lib", *layers, "/var/runtime"]
