"""JSON that somebody else wrote."""

import pytest

from runtime.reading import check_json, json_of

DEEP = b"[" * 100_000


def test_json_is_read() -> None:
    assert json_of(b'{"a": [1, null]}') == {"a": [1, None]}


@pytest.mark.parametrize("text", [DEEP, b"{", b"\xff", b""], ids=["deep", "open", "binary", "empty"])
def test_what_cannot_be_read_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError):
        json_of(text)


@pytest.mark.parametrize("payload", [b"{}", b"null", b'"\xc3\xa9"', b" [1.5e3] "])
def test_json_is_accepted(payload: bytes) -> None:
    check_json(payload)


@pytest.mark.parametrize(
    "payload",
    [DEEP, b"NaN", b'{"a": -Infinity}', b"\xef\xbb\xbf{}", '"a"'.encode("utf-16"), b'"\xff"', b"{} x", b" "],
    ids=["deep", "nan", "infinity", "bom", "utf-16", "no utf-8", "more", "blank"],
)
def test_what_is_nearly_json_is_not_accepted(payload: bytes) -> None:
    with pytest.raises(ValueError):
        check_json(payload)
