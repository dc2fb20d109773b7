"""Bytes become lines however they are cut on their way."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.process_lines import LONGEST, Lines


def lines(*chunks: bytes) -> list[str]:
    got: list[str] = []
    reader = Lines(got.append)
    for chunk in chunks:
        reader.feed(chunk)
    reader.end()
    return got


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\r"))), st.lists(st.integers(0, 200)))
def test_the_lines_are_the_same_whatever_the_chunks(texts: list[str], cuts: list[int]) -> None:
    raw = "".join(text + "\n" for text in texts).encode()
    places = [0, *sorted(cut for cut in cuts if cut < len(raw)), len(raw)]
    assert lines(*(raw[a:b] for a, b in pairwise(places))) == texts


def test_line_ends_of_windows_and_a_missing_last_one_make_no_difference() -> None:
    assert lines(b"a\r\nb\r", b"\nc") == ["a", "b", "c"]
    assert lines(b"\n\nx\n") == ["", "", "x"]
    assert lines(b"50%\r100%\r\n") == ["50%\r100%"]


def test_what_is_not_utf8_is_replaced() -> None:
    assert lines(b"caf\xe9 \xff\n") == ["caf\ufffd \ufffd"]


def test_a_very_long_line_comes_in_pieces_that_do_not_cut_a_character() -> None:
    text = "x" + "€" * 100_000
    pieces = lines(text.encode(), b"\nnext\n")
    assert "".join(pieces[:-1]) == text
    assert pieces[-1] == "next"
    assert all(len(piece.encode()) <= LONGEST for piece in pieces)


def test_a_line_of_exactly_the_longest_length_is_one_piece() -> None:
    assert lines(b"x" * LONGEST + b"\n") == ["x" * LONGEST]
    assert [len(piece) for piece in lines(b"x" * LONGEST + b"y\n")] == [LONGEST, 1]
