"""A hundred spoilt pipeline files: each is refused with exit code 2, on the right line, in helpful words."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput
from pipelines.definition import load
from tests.fakes.catalog import NAMES, catalog, diagnostics
from tests.functional.malformed.mutations import GOOD, MUTATIONS, Mutation

TEXT = GOOD.read_text(encoding="utf-8")


def test_the_file_before_it_is_spoilt_is_good() -> None:
    assert diagnostics(TEXT) == ()


def test_there_are_a_hundred_different_mutations() -> None:
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS) >= 100
    assert len({mutation.apply(TEXT) for mutation in MUTATIONS}) == len(MUTATIONS)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name.replace(" ", "-"))
def test_each_is_refused_at_its_line(mutation: Mutation) -> None:
    spoilt = mutation.apply(TEXT)
    with pytest.raises(InvalidInput) as caught:
        load(spoilt, "pipeline.yaml", catalog=catalog, provider_names=NAMES)
    assert caught.value.exit_code == 2
    told = str(caught.value)
    right = [item for item in caught.value.diagnostics if item.location.line == mutation.line(spoilt)]
    assert right, f"line {mutation.line(spoilt)} is not named:\n{told}"
    assert any(mutation.says in str(item) for item in right), told
    for line in told.splitlines():
        assert line.startswith("pipeline.yaml:")
        assert ": error: " in line


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    """Mutations of values that do not touch each other, all in one file."""
    names = {
        "unknown execution mode", "default not allowed", "region", "nested alternatives", "cron out of range",
        "unknown time zone", "retry mode", "run order zero", "unknown target",
        "configuration type", "unknown provider", "configuration member",
    }  # fmt: skip
    spoilt = TEXT
    for mutation in MUTATIONS:
        if mutation.name in names:
            spoilt = mutation.apply(spoilt)
    found = diagnostics(spoilt)
    lines = [item.location.line for item in found]
    assert lines == sorted(lines)
    wanted = {mutation.line(spoilt) for mutation in MUTATIONS if mutation.name in names}
    assert wanted <= set(lines)
