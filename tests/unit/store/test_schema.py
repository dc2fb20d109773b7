"""The tables in a database file are those the code speaks of."""

from __future__ import annotations

import dataclasses
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Table, create_engine

import store
from core.clock import VirtualClock
from core.errors import InvalidInput, PenstockError, Unavailable
from store import records, schema, tables
from store.database import Database


@pytest.mark.parametrize(
    ("record", "columns"),
    [
        (records.PipelineRecord, {*tables.pipelines.c.keys(), *tables.pipeline_versions.c.keys()}),
        (records.ExecutionRecord, set(tables.executions.c.keys())),
        (records.StageRecord, set(tables.stages.c.keys())),
        (records.ActionRecord, set(tables.actions.c.keys())),
        (records.ApprovalRecord, set(tables.approvals.c.keys())),
        (records.DeploymentRecord, set(tables.deployments.c.keys())),
        (records.TriggerRecord, set(tables.triggers.c.keys())),
        (records.Lease, set(tables.leases.c.keys())),
        (records.Event, set(tables.events.c.keys())),
    ],
)
def test_every_field_of_a_record_has_its_column(record: type, columns: set[str]) -> None:
    assert {field.name for field in dataclasses.fields(record)} == columns


def test_migrations_lead_to_exactly_these_tables(database: Database, url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
    engine.dispose()


def test_the_head_named_in_code_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(store.__file__).with_name("migrations")))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_opening_an_up_to_date_database_does_not_import_alembic(database: Database, url: str) -> None:
    program = (
        "import sys; from store.database import Database; from core.clock import SystemClock;"
        f"Database.open({url!r}, clock=SystemClock()).close(); sys.exit('alembic' in sys.modules)"
    )
    root = Path(store.__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0


def test_the_file_is_for_its_owner_only(database: Database, tmp_path: Path) -> None:
    with database.transaction() as transaction:
        transaction.take_lease("x", "me", 1)
    for path in tmp_path.glob("penstock.db*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert len(list(tmp_path.glob("penstock.db*"))) == 3  # with its -wal and -shm


def test_a_database_of_a_newer_version_is_not_touched(database: Database, url: str, tmp_path: Path) -> None:
    database.close()
    with sqlite3.connect(tmp_path / "penstock.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(PenstockError, match="newer Penstock"):
        Database.open(url, clock=VirtualClock(database._clock.now()))


def test_a_file_that_is_no_database_is_an_error_of_ours(tmp_path: Path, clock: VirtualClock) -> None:
    (tmp_path / "penstock.db").write_text("hello, this is not a database at all" * 100)
    with pytest.raises(PenstockError, match="not a database"):
        Database.open(f"sqlite:///{tmp_path / 'penstock.db'}", clock=clock)
    with pytest.raises(Unavailable):
        Database.open(f"sqlite:///{tmp_path}", clock=clock)


@pytest.mark.parametrize("url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "postgresql://u:secret@h/d"])
def test_a_url_that_is_not_served_is_refused_without_its_password(url: str, clock: VirtualClock) -> None:
    with pytest.raises(InvalidInput) as caught:
        Database.open(url, clock=clock)
    assert "secret" not in str(caught.value)


def test_tables_that_are_moved_by_compare_and_set_have_a_revision() -> None:
    moved: list[Table] = [tables.executions, tables.stages, tables.actions, tables.deployments]
    assert all("revision" in table.c for table in moved)
