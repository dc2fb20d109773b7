"""docs/lambda-coverage.md says what is answered, and is what the code makes of it now."""

from __future__ import annotations

from runtime.api.model import load_service
from scripts import lambda_coverage


def test_the_page_is_up_to_date() -> None:
    """`python scripts/lambda_coverage.py` writes it again."""
    assert lambda_coverage.DOCUMENT.read_text() == lambda_coverage.document()


def test_every_operation_of_the_model_is_on_it_once() -> None:
    """Answered or not."""
    text = lambda_coverage.DOCUMENT.read_text()
    for name in load_service("lambda").operation_names:
        assert text.count(f"\n| {name} |") == 1, name
