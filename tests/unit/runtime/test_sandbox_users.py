"""Which user ids sandboxes get."""

import pytest

from runtime.isolation.users import Users

FIRST = 3_000_000_000
"""Nobody else on this machine asks for these."""


def test_an_id_is_used_once_at_a_time_and_again_as_late_as_possible() -> None:
    users = Users(FIRST, FIRST + 255)
    first, second = users.take(), users.take()
    assert first != second
    users.give_back(first)
    users.give_back(first)
    later = [users.take() for _ in range(127)]
    assert second not in later
    assert later.index(first) == 126
    users.close()


def test_when_all_are_used_there_is_an_error() -> None:
    users = Users(FIRST, FIRST + 255, 200)
    assert len({users.take() for _ in range(256)}) == 256
    with pytest.raises(OSError, match="all 256 user ids for functions are in use"):
        users.take()
    users.close()


def test_servers_do_not_share_ids_and_the_one_too_many_is_refused() -> None:
    one, other = Users(FIRST, FIRST + 255), Users(FIRST, FIRST + 255)
    assert one.range.stop == other.range.start
    with pytest.raises(OSError, match="are free"):
        Users(FIRST, FIRST + 255)
    one.close()
    other.close()
    Users(FIRST, FIRST + 255, 256).close()
