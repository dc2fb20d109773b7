"""Pipelines by name, every accepted version of each kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, insert, select, update

from core.errors import NotFound
from store.records import PipelineRecord
from store.session import Session, record_of
from store.tables import pipeline_versions, pipelines

_NOW = select(
    pipelines, pipeline_versions.c.digest, pipeline_versions.c.definition, pipeline_versions.c.file
).join_from(
    pipelines,
    pipeline_versions,
    and_(pipeline_versions.c.name == pipelines.c.name, pipeline_versions.c.version == pipelines.c.version),
)


class PipelineReader(Session):
    """Reads pipelines."""

    def pipeline(self, name: str) -> PipelineRecord:
        """The pipeline as last accepted.

        Raises:
            NotFound: no such pipeline.
        """
        found = self._pipeline(name)
        if found is None:
            raise NotFound(f"there is no pipeline '{name}'")
        return found

    def pipelines(self) -> list[PipelineRecord]:
        """Every pipeline, by name."""
        return [record_of(PipelineRecord, row) for row in self._all(_NOW.order_by(pipelines.c.name))]

    def definition(self, name: str, version: int) -> Mapping[str, Any]:
        """The document of one version, old ones too.

        Raises:
            NotFound: no such pipeline or version.
        """
        table = pipeline_versions
        row = self._first(select(table.c.definition).where(table.c.name == name, table.c.version == version))
        if row is None:
            raise NotFound(f"there is no version {version} of pipeline '{name}'")
        found: Mapping[str, Any] = row.definition
        return found

    def _pipeline(self, name: str) -> PipelineRecord | None:
        row = self._first(_NOW.where(pipelines.c.name == name))
        return None if row is None else record_of(PipelineRecord, row)


class PipelineWriter(PipelineReader):
    """Writes pipelines."""

    def save_pipeline(self, name: str, definition: Mapping[str, Any], digest: str, file: str) -> PipelineRecord:
        """The pipeline after accepting `definition`: version 1, the next one, or unchanged when the digest is."""
        now = self._clock.now()
        before = self._pipeline(name)
        if before is not None and before.digest == digest:
            return before
        version = 1 if before is None else before.version + 1
        if before is None:
            row = {"name": name, "version": 1, "created_at": now, "updated_at": now, "revision": 0}
            self._connection.execute(insert(pipelines), row)
        else:
            changes = {"version": version, "updated_at": now, "revision": before.revision + 1}
            self._connection.execute(update(pipelines).where(pipelines.c.name == name), changes)
        accepted = {"name": name, "version": version, "digest": digest, "definition": definition, "file": file}
        self._connection.execute(insert(pipeline_versions), accepted)
        return self.pipeline(name)
