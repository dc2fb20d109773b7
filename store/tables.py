"""The tables as they are now; `store/migrations` is how a database file comes to have them."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, ForeignKeyConstraint, Index, Integer, MetaData, Table, Text
from sqlalchemy import UniqueConstraint as Unique

from store.columns import Artifacts, Json, Time, Word
from store.records import ActionStatus, ExecutionStatus, StageStatus, StopMode

metadata = MetaData()


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


pipelines = Table(
    "pipelines",
    metadata,
    Column("name", Text, primary_key=True),
    _number("version"),
    Column("created_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    _number("revision"),
)

pipeline_versions = Table(
    "pipeline_versions",
    metadata,
    Column("name", Text, ForeignKey("pipelines.name"), primary_key=True),
    Column("version", Integer, primary_key=True),
    _text("digest"),
    Column("definition", Json, nullable=False),
    _text("file"),
)

executions = Table(
    "executions",
    metadata,
    Column("id", Text, primary_key=True),
    _text("pipeline"),
    _number("pipeline_version"),
    _number("number"),
    Column("status", Word(ExecutionStatus), nullable=False),
    _text("execution_mode"),
    _text("execution_type"),
    _text("trigger_type"),
    _text("trigger_detail"),
    Column("variables", Json, nullable=False),
    Column("source_revisions", Json, nullable=False),
    Column("started_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    _text("status_summary"),
    Column("stop", Word(StopMode), nullable=False),
    _text("stop_reason"),
    Column("wake_at", Time),
    Column("ended_at", Time),
    _text("rollback_target"),
    Column("start_overrides", Json, nullable=False),
    _number("revision"),
    Unique("pipeline", "number", name="uq_executions_number"),
    ForeignKeyConstraint(["pipeline", "pipeline_version"], ["pipeline_versions.name", "pipeline_versions.version"]),
    Index("ix_executions_wake_at", "wake_at"),
    Index("ix_executions_started_at", "started_at"),
    Index("ix_executions_status", "pipeline", "status"),
)

stages = Table(
    "stages",
    metadata,
    Column("execution_id", Text, ForeignKey("executions.id"), primary_key=True),
    Column("stage", Text, primary_key=True),
    _number("index"),
    Column("status", Word(StageStatus), nullable=False),
    Column("arrived_at", Time, nullable=False),
    Column("entered_at", Time),
    Column("ended_at", Time),
    _number("attempt"),
    _number("since_attempt"),
    Column("auto_retried", Boolean(create_constraint=False), nullable=False),
    _number("revision"),
)

actions = Table(
    "actions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("execution_id", Text, ForeignKey("executions.id"), nullable=False),
    _text("stage"),
    _text("action"),
    _number("attempt"),
    Column("status", Word(ActionStatus), nullable=False),
    Column("started_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    _number("starts"),
    Column("ended_at", Time),
    _text("summary"),
    _text("external_id"),
    _text("error_code"),
    _text("error_message"),
    Column("percent_complete", Integer),
    _text("token"),
    Column("due_at", Time),
    Column("configuration", Json, nullable=False),
    Column("resolved_configuration", Json, nullable=False),
    Column("input_artifacts", Artifacts, nullable=False),
    Column("output_artifacts", Artifacts, nullable=False),
    Column("output_variables", Json, nullable=False),
    _number("revision"),
    Unique("execution_id", "stage", "action", "attempt", name="uq_actions_attempt"),
    Index("ix_actions_execution_id", "execution_id"),
    Index("ix_actions_token", "token"),
    Index("ix_actions_status", "status"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("action_execution_id", Text, ForeignKey("actions.id"), primary_key=True),
    _text("status"),
    _text("summary"),
    _text("answered_by"),
    Column("answered_at", Time, nullable=False),
)

deployments = Table(
    "deployments",
    metadata,
    Column("id", Text, primary_key=True),
    _text("execution_id"),
    _text("action_execution_id"),
    _text("target"),
    _text("function"),
    _text("alias"),
    _text("status"),
    _text("creator"),
    Column("state", Json, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    Column("ended_at", Time),
    _number("revision"),
    Index("ix_deployments_execution_id", "execution_id"),
    Index("ix_deployments_alias", "target", "function", "alias"),
    Index("ix_deployments_created_at", "created_at"),
)

triggers = Table(
    "triggers",
    metadata,
    Column("key", Text, primary_key=True),
    _text("pipeline"),
    _text("kind"),
    Column("detail", Json, nullable=False),
    _text("execution_id"),
    Column("received_at", Time, nullable=False),
    Index("ix_triggers_execution_id", "execution_id"),
)

schedule_cursors = Table(
    "schedule_cursors",
    metadata,
    Column("pipeline", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("at", Time, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    _text("holder"),
    _number("token"),
    Column("expires_at", Time, nullable=False),
)

# `at` and `facts` are kept as the very text that was hashed.
events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    _text("at"),
    _text("kind"),
    _text("subject"),
    _text("why"),
    _text("execution_id"),
    _text("facts"),
    _text("previous"),
    _text("hash"),
    Index("ix_events_execution_id", "execution_id", "seq"),
)

# One row: the end of the chain. Locking it puts writers in order; it shows when the last events were cut off.
ledger_head = Table(
    "ledger_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    _number("seq"),
    _text("hash"),
)
