"""The documents speak of files that exist, and every ADR is listed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/glossary.md", "examples/orders/README.md")
TOPS = "core|store|sam|runtime|deploy|stages|pipelines|app|tests|examples|benchmarks|docs|scripts"
THE_USERS_OWN = ("template.yaml", "buildspec.yml")
FOLDER_MADE_LATER = (".penstock/", ".demo/", ".benchmarks/", ".venv/")


def paths(text: str) -> list[str]:
    """Every path of this repository named in back-ticks: starts with a top-level folder, or is a file at the root."""
    named = re.findall(r"`([^`\s]+)`", text)
    ours = [name for name in named if re.match(rf"(?:{TOPS})/|[\w.-]+\.(?:md|toml|lock|yaml)$", name)]
    return [name for name in ours if name not in THE_USERS_OWN]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_a_document_names_exists(document: str) -> None:
    """A path in back-ticks is a promise."""
    text = (ROOT / document).read_text()
    base = (ROOT / document).parent
    missing = [
        name
        for name in paths(text)
        if not name.startswith(FOLDER_MADE_LATER) and not (ROOT / name).exists() and not (base / name).exists()
    ]
    assert missing == []


def test_the_architecture_and_the_glossary_name_files() -> None:
    """They map steps and words to files; without any they would say nothing."""
    for document in ("ARCHITECTURE.md", "docs/glossary.md"):
        assert len(set(paths((ROOT / document).read_text()))) >= 20


def test_every_decision_is_listed_where_contributors_look() -> None:
    """CONTRIBUTING lists each ADR."""
    contributing = (ROOT / "CONTRIBUTING.md").read_text()
    for record in sorted((ROOT / "docs/adr").glob("*.md")):
        assert f"docs/adr/{record.name}" in contributing
