"""What is stored comes back as it was, and is found the ways people look for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.clock import VirtualClock
from core.errors import Conflict, InvalidInput, NotFound
from store.database import Database
from store.records import (
    ActionStatus,
    ApprovalRecord,
    ArtifactRef,
    ExecutionStatus,
    StageStatus,
    StopMode,
)
from store.transaction import Transaction
from tests.fakes.store_records import AT, a_deployment, a_stage, a_trigger, an_action, an_execution

E1 = "0a1b2c3d-0000-4000-8000-000000000001"
E2 = "0a1b2c99-0000-4000-8000-000000000002"
E3 = "ffff2c99-0000-4000-8000-000000000003"


def three_executions(transaction: Transaction) -> None:
    transaction.save_pipeline("orders", {"name": "orders"}, "d1", "pipeline.yaml")
    transaction.save_pipeline("other", {}, "d1", "pipeline.yaml")
    transaction.add_execution(an_execution(E1, number=1))
    transaction.add_execution(an_execution(E2, number=2, started_at=AT + timedelta(seconds=1)))
    transaction.add_execution(an_execution(E3, number=1, pipeline="other"))


def test_a_pipeline_gets_a_version_for_each_change_and_keeps_the_old_ones(
    database: Database, clock: VirtualClock
) -> None:
    with database.transaction() as transaction:
        first = transaction.save_pipeline("orders", {"a": [1]}, "d1", "p.yaml")
        assert (first.version, first.created_at) == (1, AT)
        clock.advance(5)
        assert transaction.save_pipeline("orders", {"a": [1]}, "d1", "p.yaml") == first
        second = transaction.save_pipeline("orders", {"a": [2]}, "d2", "q.yaml")
        assert (second.version, second.file, second.updated_at) == (2, "q.yaml", AT + timedelta(seconds=5))
        assert second.created_at == AT
        back = transaction.save_pipeline("orders", {"a": [1]}, "d1", "p.yaml")
        assert (back.version, back.definition) == (3, {"a": [1]})
    with database.snapshot() as snapshot:
        assert [snapshot.definition("orders", n) for n in (1, 2, 3)] == [{"a": [1]}, {"a": [2]}, {"a": [1]}]
        assert snapshot.pipelines() == [back]
        with pytest.raises(NotFound, match="version 4"):
            snapshot.definition("orders", 4)
        with pytest.raises(NotFound, match="'nope'"):
            snapshot.pipeline("nope")


def test_every_record_comes_back_as_it_was_added(database: Database) -> None:
    execution = an_execution(
        E1,
        stop=StopMode.WAIT,
        wake_at=AT,
        ended_at=AT + timedelta(microseconds=1),
        start_overrides={"sourceRevisions": [{"actionName": "é"}]},
        rollback_target=E2,
    )
    stage = a_stage(E1, "Build", 3, status=StageStatus.FAILED, attempt=2, since_attempt=2, auto_retried=True)
    action = an_action(
        "a",
        E1,
        status=ActionStatus.ABANDONED,
        percent_complete=40,
        due_at=AT,
        configuration={"x": [1, 2.5, None, True]},
        input_artifacts=(ArtifactRef("in", "f" * 64, 3),),
        output_artifacts=(ArtifactRef("one", "0" * 64, 0), ArtifactRef("two", "1" * 64, 2**40)),
        output_variables={"k": "v"},
    )
    deployment = a_deployment("d-123456789", state={"weights": {"1": 90.0, "2": 10.0}}, ended_at=AT)
    trigger = a_trigger("orders/abc", execution_id=E1)
    with database.transaction() as transaction:
        transaction.save_pipeline("orders", {}, "d", "f")
        transaction.add_execution(execution)
        transaction.add_stage(stage)
        transaction.add_action(action)
        transaction.add_deployment(deployment)
        assert transaction.accept_trigger(trigger)
    with database.snapshot() as snapshot:
        assert snapshot.execution(E1) == execution
        assert snapshot.stages(E1) == [stage]
        assert snapshot.action("a") == action
        assert snapshot.actions(E1) == [action]
        assert snapshot.deployment("d-123456789") == deployment
        assert snapshot.trigger("orders/abc") == trigger
        assert snapshot.trigger_by_execution(E1) == trigger


def test_an_update_raises_the_revision_and_tells_the_time(database: Database, clock: VirtualClock) -> None:
    with database.transaction() as transaction:
        three_executions(transaction)
        transaction.add_stage(a_stage(E1))
        transaction.add_action(an_action("a", E1))
        transaction.add_deployment(a_deployment("d"))
        clock.advance(1)
        later = AT + timedelta(seconds=1)
        execution = transaction.update_execution(transaction.execution(E1), status=ExecutionStatus.FAILED, wake_at=None)
        stage = transaction.update_stage(transaction.stages(E1)[0], status=StageStatus.FAILED, ended_at=later)
        action = transaction.update_action(transaction.action("a"), summary="s", output_variables={"a": "b"})
        deployment = transaction.update_deployment(transaction.deployment("d"), state={"step": 1})
        assert (execution.revision, execution.updated_at, execution.status) == (1, later, ExecutionStatus.FAILED)
        assert (action.revision, action.updated_at, deployment.revision, stage.revision) == (1, later, 1, 1)
    with database.snapshot() as snapshot:
        assert snapshot.execution(E1) == execution
        assert snapshot.stages(E1) == [stage]
        assert snapshot.action("a") == action
        assert snapshot.deployment("d") == deployment
        assert snapshot.execution(E2).revision == 0


def test_whoever_read_an_old_revision_loses(database: Database) -> None:
    with database.transaction() as transaction:
        three_executions(transaction)
        old = transaction.execution(E1)
        transaction.update_execution(old, status_summary="first")
        with pytest.raises(Conflict, match="changed by somebody else"):
            transaction.update_execution(old, status_summary="second")
        assert transaction.execution(E1).status_summary == "first"
        with pytest.raises(NotFound):
            transaction.update_execution(an_execution("ghost"), status_summary="x")
        with pytest.raises(TypeError):
            transaction.update_execution(transaction.execution(E1), colour="red")


@pytest.mark.parametrize(
    ("text", "pipeline", "found"),
    [
        (E1, None, E1),
        ("0a1b2c3", None, E1),
        ("0A1B2C3D", None, E1),
        ("ffff", None, E3),
        ("2", None, E2),
        ("#2", None, E2),
        ("1", "orders", E1),
        ("1", "other", E3),
        (" 1 ", "orders", E1),
        ("0a1b", "orders", InvalidInput),
        ("1", None, InvalidInput),
        ("0a1", None, InvalidInput),
        ("%%%%", None, NotFound),
        ("____", None, NotFound),
        ("7", None, NotFound),
        ("12345678901234567890", None, NotFound),
        ("ffff", "orders", NotFound),
        ("", None, InvalidInput),
    ],
)
def test_an_execution_is_found_by_id_prefix_or_number(
    database: Database, text: str, pipeline: str | None, found: str | type[Exception]
) -> None:
    with database.transaction() as transaction:
        three_executions(transaction)
        if isinstance(found, str):
            assert transaction.find_execution(text, pipeline).id == found
        else:
            with pytest.raises(found):
                transaction.find_execution(text, pipeline)


def test_executions_are_listed_newest_first_in_pages(database: Database) -> None:
    with database.transaction() as transaction:
        three_executions(transaction)
        transaction.update_execution(transaction.execution(E3), status=ExecutionStatus.SUCCEEDED)
        everything = [record.id for record in transaction.executions()]
        assert everything == [E2, E3, E1]
        pages = [transaction.executions(limit=1)]
        while pages[-1]:
            pages.append(transaction.executions(limit=1, before=pages[-1][-1].id))
        assert [record.id for page in pages for record in page] == everything
        assert [record.id for record in transaction.executions("orders")] == [E2, E1]
        assert [record.id for record in transaction.executions(status=ExecutionStatus.SUCCEEDED)] == [E3]
        assert [transaction.next_number(name) for name in ("orders", "other", "new")] == [3, 2, 1]


def test_due_executions_come_longest_overdue_first(database: Database) -> None:
    with database.transaction() as transaction:
        three_executions(transaction)
        transaction.update_execution(transaction.execution(E1), wake_at=AT + timedelta(seconds=5))
        transaction.update_execution(transaction.execution(E2), wake_at=AT)

        def due(seconds: float) -> list[str]:
            return [record.id for record in transaction.due_executions(AT + timedelta(seconds=seconds))]

        assert due(-0.000001) == []
        assert due(0) == [E2]
        assert due(5) == [E2, E1]


def test_occupants_are_the_moving_executions_with_the_furthest_stage(database: Database) -> None:
    with database.transaction() as transaction:
        three_executions(transaction)
        for record in (a_stage(E1, "Source", 0), a_stage(E1, "Build", 1), a_stage(E2, "Source", 0), a_stage(E3)):
            transaction.add_stage(record)
        found = [(execution.id, stage.stage) for execution, stage in transaction.stage_occupants("orders")]
        assert found == [(E1, "Build"), (E2, "Source")]
        transaction.update_execution(transaction.execution(E1), status=ExecutionStatus.STOPPING)
        transaction.update_execution(transaction.execution(E2), status=ExecutionStatus.SUCCEEDED)
        assert [execution.id for execution, _ in transaction.stage_occupants("orders")] == [E1]


def test_an_approval_is_answered_once(database: Database) -> None:
    yes = ApprovalRecord("a", "Approved", "fine", "ann", AT)
    with database.transaction() as transaction:
        three_executions(transaction)
        transaction.add_action(an_action("a", E1, token="t-1"))
        transaction.add_action(an_action("b", E1, action="Other"))
        assert [action.id for action in transaction.pending_approvals()] == ["a"]
        assert transaction.action_by_token("t-1").id == "a"
        assert transaction.approval("a") is None
        transaction.add_approval(yes)
        with pytest.raises(Conflict, match="Approved by ann"):
            transaction.add_approval(ApprovalRecord("a", "Rejected", "no", "bob", AT))
        assert transaction.approval("a") == yes
        assert transaction.pending_approvals() == []
        for token in ("", "nobody's"):
            with pytest.raises(NotFound):
                transaction.action_by_token(token)


def test_deployments_are_filtered_and_newest_first(database: Database) -> None:
    with database.transaction() as transaction:
        transaction.add_deployment(a_deployment("d-1"))
        transaction.add_deployment(a_deployment("d-2", alias="beta", created_at=AT + timedelta(seconds=1)))
        transaction.add_deployment(a_deployment("d-3", execution_id="", created_at=AT + timedelta(seconds=2)))

        def ids(**wanted: str) -> list[str]:
            return [record.id for record in transaction.deployments(**wanted)]  # type: ignore[arg-type]

        assert ids() == ["d-3", "d-2", "d-1"]
        assert ids(execution_id="e-1") == ["d-2", "d-1"]
        assert ids(target="local", function="orders", alias="live") == ["d-3", "d-1"]
        assert ids(alias="nope") == []
        assert [record.id for record in transaction.deployments(limit=1)] == ["d-3"]
        with pytest.raises(NotFound):
            transaction.deployment("d-4")


def test_the_same_event_twice_is_accepted_once(database: Database) -> None:
    with database.transaction() as transaction:
        assert transaction.accept_trigger(a_trigger("k", detail={"n": 1})) is True
        assert transaction.accept_trigger(a_trigger("k", detail={"n": 2})) is False
        kept = transaction.trigger("k")
        assert kept is not None
        assert kept.detail == {"n": 1}
        assert transaction.trigger("other") is None
        assert transaction.trigger_by_execution("") is None


def test_a_schedule_remembers_how_far_it_came(database: Database) -> None:
    with database.transaction() as transaction:
        assert transaction.schedule_cursor("orders", "0 6 * * *") is None
        transaction.set_schedule_cursor("orders", "0 6 * * *", AT)
        transaction.set_schedule_cursor("orders", "0 6 * * *", AT + timedelta(days=1))
        assert transaction.schedule_cursor("orders", "0 6 * * *") == AT + timedelta(days=1)
        assert transaction.schedule_cursor("other", "0 6 * * *") is None
