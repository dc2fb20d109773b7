"""The first tables: pipelines, executions, approvals, deployments, triggers, leases, the ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.dialect import append_only

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _maybe(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text)


def upgrade() -> None:
    """Make every table."""
    _pipelines()
    _executions()
    _stages_and_actions()
    _deployments()
    _triggers_and_leases()
    _ledger()


def _pipelines() -> None:
    op.create_table(
        "pipelines",
        sa.Column("name", sa.Text, primary_key=True),
        _number("version"),
        *(_text("created_at"), _text("updated_at")),
        _number("revision"),
    )
    op.create_table(
        "pipeline_versions",
        sa.Column("name", sa.Text, sa.ForeignKey("pipelines.name"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        *(_text("digest"), _text("definition"), _text("file")),
    )


def _executions() -> None:
    op.create_table(
        "executions",
        sa.Column("id", sa.Text, primary_key=True),
        _text("pipeline"),
        *(_number("pipeline_version"), _number("number")),
        *(_text("status"), _text("execution_mode"), _text("execution_type")),
        *(_text("trigger_type"), _text("trigger_detail"), _text("variables"), _text("source_revisions")),
        *(_text("started_at"), _text("updated_at"), _text("status_summary"), _text("stop"), _text("stop_reason")),
        *(_maybe("wake_at"), _maybe("ended_at")),
        *(_text("rollback_target"), _text("start_overrides")),
        _number("revision"),
        sa.UniqueConstraint("pipeline", "number", name="uq_executions_number"),
        sa.ForeignKeyConstraint(
            ["pipeline", "pipeline_version"], ["pipeline_versions.name", "pipeline_versions.version"]
        ),
    )
    op.create_index("ix_executions_wake_at", "executions", ["wake_at"])
    op.create_index("ix_executions_started_at", "executions", ["started_at"])
    op.create_index("ix_executions_status", "executions", ["pipeline", "status"])


def _stages_and_actions() -> None:
    op.create_table(
        "stages",
        sa.Column("execution_id", sa.Text, sa.ForeignKey("executions.id"), primary_key=True),
        sa.Column("stage", sa.Text, primary_key=True),
        _number("index"),
        *(_text("status"), _text("arrived_at"), _maybe("entered_at"), _maybe("ended_at")),
        _number("attempt"),
        _number("since_attempt"),
        sa.Column("auto_retried", sa.Boolean(create_constraint=False), nullable=False),
        _number("revision"),
    )
    op.create_table(
        "actions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("execution_id", sa.Text, sa.ForeignKey("executions.id"), nullable=False),
        *(_text("stage"), _text("action")),
        _number("attempt"),
        *(_text("status"), _text("started_at"), _text("updated_at")),
        _number("starts"),
        _maybe("ended_at"),
        *(_text("summary"), _text("external_id"), _text("error_code"), _text("error_message")),
        sa.Column("percent_complete", sa.Integer),
        *(_text("token"), _maybe("due_at"), _text("configuration"), _text("resolved_configuration")),
        *(_text("input_artifacts"), _text("output_artifacts"), _text("output_variables")),
        _number("revision"),
        sa.UniqueConstraint("execution_id", "stage", "action", "attempt", name="uq_actions_attempt"),
    )
    for column in ("execution_id", "token", "status"):
        op.create_index(f"ix_actions_{column}", "actions", [column])
    op.create_table(
        "approvals",
        sa.Column("action_execution_id", sa.Text, sa.ForeignKey("actions.id"), primary_key=True),
        *(_text("status"), _text("summary"), _text("answered_by"), _text("answered_at")),
    )


def _deployments() -> None:
    op.create_table(
        "deployments",
        sa.Column("id", sa.Text, primary_key=True),
        *(_text("execution_id"), _text("action_execution_id"), _text("target"), _text("function"), _text("alias")),
        *(_text("status"), _text("creator"), _text("state"), _text("created_at"), _text("updated_at")),
        _maybe("ended_at"),
        _number("revision"),
    )
    op.create_index("ix_deployments_execution_id", "deployments", ["execution_id"])
    op.create_index("ix_deployments_alias", "deployments", ["target", "function", "alias"])
    op.create_index("ix_deployments_created_at", "deployments", ["created_at"])


def _triggers_and_leases() -> None:
    op.create_table(
        "triggers",
        sa.Column("key", sa.Text, primary_key=True),
        *(_text("pipeline"), _text("kind"), _text("detail"), _text("execution_id"), _text("received_at")),
    )
    op.create_index("ix_triggers_execution_id", "triggers", ["execution_id"])
    op.create_table(
        "schedule_cursors",
        sa.Column("pipeline", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        _text("at"),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, primary_key=True),
        _text("holder"),
        _number("token"),
        _text("expires_at"),
    )


def _ledger() -> None:
    op.create_table(
        "events",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        *(_text("at"), _text("kind"), _text("subject"), _text("why"), _text("execution_id"), _text("facts")),
        *(_text("previous"), _text("hash")),
    )
    op.create_index("ix_events_execution_id", "events", ["execution_id", "seq"])
    for statement in append_only("events"):
        op.execute(statement)
    head = op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        _number("seq"),
        _text("hash"),
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": "0" * 64}])
