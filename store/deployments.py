"""Releases of function aliases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from core.errors import NotFound
from store.records import DeploymentRecord
from store.session import Session, record_of
from store.tables import deployments


class DeploymentReader(Session):
    """Reads deployments."""

    def deployment(self, id_: str) -> DeploymentRecord:
        """The deployment with that id.

        Raises:
            NotFound: no such deployment.
        """
        row = self._first(select(deployments).where(deployments.c.id == id_))
        if row is None:
            raise NotFound(f"there is no deployment '{id_}'")
        return record_of(DeploymentRecord, row)

    def deployments(
        self,
        execution_id: str | None = None,
        target: str | None = None,
        function: str | None = None,
        alias: str | None = None,
        limit: int = 50,
    ) -> list[DeploymentRecord]:
        """Those that match everything given, newest first."""
        statement = select(deployments).order_by(deployments.c.created_at.desc(), deployments.c.id.desc())
        wanted = {"execution_id": execution_id, "target": target, "function": function, "alias": alias}
        for name, value in wanted.items():
            if value is not None:
                statement = statement.where(deployments.c[name] == value)
        return [record_of(DeploymentRecord, row) for row in self._all(statement.limit(limit))]


class DeploymentWriter(DeploymentReader):
    """Writes deployments."""

    def add_deployment(self, record: DeploymentRecord) -> None:
        """Insert it.

        Raises:
            Conflict: its id is taken.
        """
        self._insert(deployments, record)

    def update_deployment(self, record: DeploymentRecord, **changes: Any) -> DeploymentRecord:
        """`record` with `changes`, written.

        Raises:
            Conflict: changed by somebody else since it was read.
        """
        return self._compare_and_set(deployments, f"deployment {record.id}", record, changes)
