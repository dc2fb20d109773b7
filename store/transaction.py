"""One consistent look at the store, and one change to it: every subject's readers and writers together."""

from __future__ import annotations

from store.actions import ActionReader, ActionWriter
from store.approvals import ApprovalReader, ApprovalWriter
from store.deployments import DeploymentReader, DeploymentWriter
from store.events import EventReader, EventWriter
from store.executions import ExecutionReader, ExecutionWriter
from store.leases import LeaseReader, LeaseWriter
from store.pipelines import PipelineReader, PipelineWriter
from store.stages import StageReader, StageWriter
from store.triggers import TriggerReader, TriggerWriter


class Snapshot(
    PipelineReader,
    ExecutionReader,
    StageReader,
    ActionReader,
    ApprovalReader,
    DeploymentReader,
    TriggerReader,
    LeaseReader,
    EventReader,
):
    """Reads that all see the same moment."""


class Transaction(
    Snapshot,
    PipelineWriter,
    ExecutionWriter,
    StageWriter,
    ActionWriter,
    ApprovalWriter,
    DeploymentWriter,
    TriggerWriter,
    LeaseWriter,
    EventWriter,
):
    """Reads and writes that become visible together, or not at all."""
