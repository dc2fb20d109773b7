"""Log groups and streams as files: names, lines, batches, retention and bounds."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import VirtualClock
from runtime.api.errors import ApiError
from runtime.log_groups.accept import batch
from runtime.log_groups.files import first_and_last, line, read, stamp
from runtime.log_groups.groups import GroupSettings
from runtime.log_groups.keep import Keeper, Limits
from runtime.log_groups.patterns.pattern import compile_pattern
from runtime.log_groups.places import group_directory, groups, stream_path, streams
from runtime.log_groups.query import filtered, of_stream
from runtime.logs import Logs

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)
DAY_MS = 86_400_000

_GROUPS = st.from_regex(r"[.\-_/#A-Za-z0-9]{1,300}", fullmatch=True)
_STREAMS = st.text(alphabet=st.characters(exclude_characters=":*\0", exclude_categories=["Cs"]), min_size=1)
_ODD = ["2026/11/23/[$LATEST]0123", "../../x", "/a//b/", ".", "é" * 300, "a.log", "%streams/a"]


@given(_GROUPS | st.sampled_from(["/aws/lambda/orders", "aws/lambda/orders", "/", "..", "/a/../b", "x" * 512]))
def test_a_groups_name_is_told_from_its_directory(group: str) -> None:
    with TemporaryDirectory() as temporary:
        root = Path(temporary)
        directory = group_directory(root, group)
        assert directory.resolve().is_relative_to(root.resolve())
        directory.mkdir(parents=True)
        assert groups(root) == {group: directory}


@given(
    _STREAMS | st.sampled_from(["2026/11/23/[$LATEST]0123", "../../x", "/a//b/", ".", "é" * 300, "a.log", "%streams/a"])
)
def test_a_streams_name_is_told_from_its_file(name: str) -> None:
    with TemporaryDirectory() as temporary:
        directory = Path(temporary)
        path = stream_path(directory, name)
        assert path.resolve().is_relative_to(directory.resolve())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        assert streams(directory) == {name: path}


def test_a_functions_streams_are_where_they_can_be_read(tmp_path: Path) -> None:
    directory = group_directory(tmp_path, "/aws/lambda/orders")
    assert directory == tmp_path / "aws" / "lambda" / "orders"
    assert stream_path(directory, "2026/11/23/[1]ab") == directory / "2026" / "11" / "23" / "[1]ab.log"


@given(st.lists(st.tuples(st.integers(0, 4_000_000_000_000), st.text(alphabet="ab\n\té ", min_size=1)), max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_again(tmp_path: Path, events: list[tuple[int, str]]) -> None:
    path = tmp_path / "a.log"
    lines = [line(stamp(at), text.removesuffix("\n"), ends=text.endswith("\n")) for at, text in events]
    path.write_text("".join(lines), newline="")
    assert [(event.at_ms, event.message) for event in read(path, "a")] == events
    times = first_and_last(path)
    assert times == ((events[0][0], events[-1][0]) if events else None)


def put(path: Path, *events: tuple[int, str]) -> None:
    """Events, each with its time, in a stream's file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", newline="") as file:
        file.writelines(line(stamp(at), text) for at, text in events)


# asking ------------------------------------------------------------------------------------------------------------


def test_events_of_several_streams_come_page_by_page_in_order(tmp_path: Path) -> None:
    found = [(name, tmp_path / f"{name}.log") for name in "ab"]
    for offset, (_, path) in enumerate(found):
        put(path, *((NOW_MS + 2 * index + offset, f"event {2 * index + offset}") for index in range(5)))
    texts: list[str] = []
    parameters: dict[str, Any] = {"limit": 3}
    while True:
        answer = filtered(found, compile_pattern("event -4"), parameters)
        texts += [event["message"] for event in answer["events"]]
        if answer["nextToken"] is None:
            break
        parameters = {"limit": 3, "nextToken": answer["nextToken"]}
    assert texts == [f"event {number}\n" for number in range(10) if number != 4]
    span = {"startTime": NOW_MS + 2, "endTime": NOW_MS + 4}
    assert len(filtered(found, compile_pattern(""), span)["events"]) == 3
    with pytest.raises(ApiError):
        filtered(found, compile_pattern(""), {"nextToken": "x"})


def test_an_answer_carries_at_most_a_megabyte(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    put(path, *((NOW_MS + index, "x" * 200_000) for index in range(12)))
    answer = filtered([("a", path)], compile_pattern(""), {})
    assert len(answer["events"]) == 5
    assert answer["nextToken"] is not None
    assert len(of_stream(path, "a", {})["events"]) == 5


def test_a_stream_is_walked_in_both_directions(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    put(path, *((NOW_MS + index, str(index)) for index in range(6)))

    def asked(**parameters: Any) -> tuple[list[int], str, str]:
        answer = of_stream(path, "a", {"limit": 2, **parameters})
        return [int(event["message"]) for event in answer["events"]], *(
            answer[name] for name in ("nextBackwardToken", "nextForwardToken")
        )

    shown, back, forward = asked()
    assert shown == [4, 5]
    assert asked(nextToken=forward) == ([], forward.replace("f", "b"), forward)
    shown, back, forward = asked(nextToken=back)
    assert shown == [2, 3]
    assert asked(nextToken=forward)[0] == [4, 5]
    assert asked(startFromHead=True)[0] == [0, 1]
    assert asked(startTime=NOW_MS + 1, endTime=NOW_MS + 3)[0] == [1, 2]
    with pytest.raises(ApiError):
        asked(nextToken="nonsense")


# batches -----------------------------------------------------------------------------------------------------------


def event(at_ms: int, message: str = "m") -> dict[str, Any]:
    """One event of a request."""
    return {"timestamp": at_ms, "message": message}


def test_events_that_are_too_old_or_too_new_are_rejected_and_told() -> None:
    old, new = event(NOW_MS - 15 * DAY_MS), event(NOW_MS + 3 * 3_600_000)
    assert batch([old], NOW_MS, None).rejected == {"tooOldLogEventEndIndex": 1}
    assert batch([event(NOW_MS - 2 * DAY_MS)], NOW_MS, 1).rejected == {"expiredLogEventEndIndex": 1}
    found = batch([event(NOW_MS), new], NOW_MS, None)
    assert (found.events, found.rejected) == (((NOW_MS, "m"),), {"tooNewLogEventStartIndex": 1})


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([event(NOW_MS), event(NOW_MS - 1)], "chronological"),
        ([event(NOW_MS - DAY_MS - 1), event(NOW_MS)], "24 hours"),
        ([event(NOW_MS, "x" * 1_048_576)], "Upload too large"),
    ],
)
def test_a_wrong_batch_is_refused(events: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(ApiError, match=words):
        batch(events, NOW_MS, None)


# bounds ------------------------------------------------------------------------------------------------------------


def kept(logs: Logs, limits: Limits | None = None) -> None:
    """Look once."""
    asyncio.run(Keeper(logs, VirtualClock(NOW), limits).look())


def texts(path: Path) -> list[str]:
    """The events of a file."""
    return [event.message for event in read(path, "a")]


def test_what_is_older_than_the_retention_goes(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    group = logs.groups.create("g", GroupSettings(0, retention_days=1))
    other = logs.groups.create("other", GroupSettings(0))
    for each in (group, other):
        put(each.stream("gone"), (NOW_MS - 3 * DAY_MS, "a"), (NOW_MS - 2 * DAY_MS, "b"))
        put(each.stream("partly"), (NOW_MS - 2 * DAY_MS, "a"), (NOW_MS - DAY_MS, "b"), (NOW_MS, "c"))
        put(each.stream("young"), (NOW_MS, "a"))
    kept(logs)
    assert list(group.streams()) == ["partly", "young"]
    assert texts(group.stream("partly")) == ["b\n", "c\n"]
    assert texts(other.stream("partly")) == ["a\n", "b\n", "c\n"]
    assert list(other.streams()) == ["gone", "partly", "young"]


def test_a_stream_that_grew_too_large_loses_its_beginning_and_says_so(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    group = logs.groups.create("g", GroupSettings(0))
    put(group.stream("a"), *((NOW_MS + index, f"event {index:03d}") for index in range(100)))
    kept(logs, Limits(stream_bytes=2000))
    found = texts(group.stream("a"))
    assert found[0].startswith("[WARN] ")
    assert found[0].endswith("bytes of earlier events were removed: this log was too large\n")
    assert found[1:] == [f"event {index:03d}\n" for index in range(101 - len(found), 100)]
    assert group.stream("a").stat().st_size < 1200


def test_all_logs_together_are_bounded_the_oldest_go_first(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    group = logs.groups.create("g", GroupSettings(0))
    for index in range(5):
        put(group.stream(str(index)), (NOW_MS, "x" * 976))
        at = NOW.timestamp() + index
        os.utime(group.stream(str(index)), (at, at))
    kept(logs, Limits(all_bytes=2500))
    assert list(group.streams()) == ["3", "4"]


def test_nothing_is_lost_that_is_written_while_a_file_is_trimmed(tmp_path: Path) -> None:
    async def run() -> list[str]:
        logs = Logs(tmp_path)
        stream = logs.stream("/aws/lambda/f", "2026/03/01/[1]a")
        at = (NOW - timedelta(days=2)).timestamp()
        for index in range(200):
            stream.write(at + index, f"old {index}")
        logs.flush()
        group = logs.groups.get("/aws/lambda/f")
        assert group is not None
        group.save(GroupSettings(0, retention_days=1))
        keeper = asyncio.create_task(Keeper(logs, VirtualClock(NOW)).look())
        stream.write(NOW.timestamp(), "new 0")
        while not keeper.done():
            stream.write(NOW.timestamp(), "new")
            await asyncio.sleep(0)
        await keeper
        stream.write(NOW.timestamp(), "last")
        logs.close()
        return texts(stream.path)

    found = asyncio.run(run())
    assert found[0] == "new 0\n"
    assert found[-1] == "last\n"
    assert not [text for text in found if text.startswith("old")]


def test_settings_survive_and_what_is_unreadable_is_as_old_as_it_looks(tmp_path: Path) -> None:
    Logs(tmp_path).groups.create("g", GroupSettings(7, 30, tags={"a": "b"}))
    again = Logs(tmp_path).groups.get("g")
    assert again is not None
    assert (again.settings.created_ms, again.settings.retention_days, again.settings.tags) == (7, 30, {"a": "b"})
    put(stream_path(group_directory(tmp_path, "/aws/lambda/f"), "s"), (NOW_MS, "a"))
    found = Logs(tmp_path).groups.get("/aws/lambda/f")
    assert found is not None
    assert found.settings.created_ms > 0
