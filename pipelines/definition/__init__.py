"""From the text of a pipeline.yaml to a checked, frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.definition.build import build
from pipelines.definition.model import PipelineDefinition
from pipelines.definition.parse import load, load_file
from pipelines.definition.schema import schema
from pipelines.definition.view import Catalog
from stages.registry import action_type

__all__ = ["Catalog", "from_data", "load", "load_file", "schema"]


def from_data(data: Mapping[str, Any], *, catalog: Catalog = action_type) -> PipelineDefinition:
    """The pipeline whose stored document is `data`; it was checked when it was stored and is not checked again."""
    return build(data, catalog)
