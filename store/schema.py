"""Bringing a database file's tables up to date. Alembic is only imported when there is something to do."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from core.errors import PenstockError
from store import dialect

HEAD = "0001"

_MIGRATIONS = Path(__file__).with_name("migrations")


def bring_up_to_date(engine: Engine) -> None:
    """Run the migrations that are missing, all in one transaction; several processes may do so at once.

    Raises:
        PenstockError: the database was written by a newer Penstock.
    """
    with engine.connect() as connection, connection.begin():
        if _version(connection) == HEAD:
            return
    options = dialect.begin_options(writing=True, durable=True)
    with engine.connect() as connection, connection.execution_options(**options).begin():
        if _version(connection) != HEAD:  # nobody else did it while we waited for our turn
            _migrate(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if version is None else str(version)


def _migrate(connection: Connection) -> None:
    # Imported here because almost every start finds the tables up to date.
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise PenstockError(
            "the database was written by a newer Penstock", why=str(error), hint="update Penstock"
        ) from error
