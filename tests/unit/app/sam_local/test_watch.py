"""Changes are noticed before the next question, by notes of the kernel or by comparing files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.sam_local import watch as watching
from app.sam_local.watch import Watch


@pytest.fixture(params=["notified", "compared"])
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Watch, Path, Path]]:
    """A watch over a directory `code` and a file `template.yaml` beside it."""
    code, template = tmp_path / "code", tmp_path / "template.yaml"
    (code / "package").mkdir(parents=True)
    (code / "app.py").write_text("1")
    template.write_text("1")
    places = (code, template)
    made: Watch = watching._Notified(places) if request.param == "notified" else watching._Compared(places)
    yield made, code, template
    made.close()


Change = Callable[[Path], object]


def _replace(code: Path) -> None:
    (code / "new").write_text("longer than before")
    (code / "new").replace(code / "app.py")


@pytest.mark.parametrize(
    "change",
    [
        lambda code: (code / "app.py").write_text("another"),
        lambda code: (code / "package" / "new.py").write_text("x"),
        lambda code: (code / "app.py").unlink(),
        _replace,
        lambda code: [(code / "deep" / "er").mkdir(parents=True), (code / "deep" / "er" / "x.py").write_text("x")],
    ],
)
def test_every_kind_of_change_is_noticed_once(watched: tuple[Watch, Path, Path], change: Change) -> None:
    """And only the place it is in."""
    watch, code, _ = watched
    assert watch.changed() == set()
    change(code)
    assert watch.changed() == {code}
    assert watch.changed() == set()


def test_a_new_directory_is_watched_too(watched: tuple[Watch, Path, Path]) -> None:
    """From its first file on."""
    watch, code, _ = watched
    (code / "late").mkdir()
    watch.changed()
    (code / "late" / "x.py").write_text("x")
    assert watch.changed() == {code}


def test_a_single_file_is_noticed_when_it_is_written_or_replaced(watched: tuple[Watch, Path, Path]) -> None:
    """Files beside it are not."""
    watch, _, template = watched
    (template.parent / "other.yaml").write_text("x")
    assert watch.changed() == set()
    template.write_text("another")
    assert watch.changed() == {template}
    (template.parent / "tmp").write_text("a third one")
    (template.parent / "tmp").replace(template)
    assert watch.changed() == {template}


def test_what_is_not_code_is_not_noticed(watched: tuple[Watch, Path, Path]) -> None:
    """Caches, compiled files, editors' own."""
    watch, code, _ = watched
    (code / "__pycache__").mkdir()
    (code / "__pycache__" / "app.pyc").write_text("x")
    (code / ".app.py.swp").write_text("x")
    assert watch.changed() == set()


def test_there_is_a_watch_for_every_system(tmp_path: Path) -> None:
    """Whichever it is."""
    made = watching.watch([tmp_path])
    (tmp_path / "x.py").write_text("x")
    assert made.changed() == {tmp_path}
    made.close()
    assert watching.Nothing().changed() == set()
