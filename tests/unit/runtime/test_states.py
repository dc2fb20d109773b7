"""State and LastUpdateStatus of a version."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime.api.errors import ApiError
from runtime.catalog.records import State, UpdateStatus
from runtime.control import states
from tests.unit.runtime.records import version


def test_creating_ends_active_or_failed_with_a_new_revision() -> None:
    pending = states.creating(version())
    assert (pending.state, pending.state_reason_code) == (State.PENDING, "Creating")
    active = states.settled(pending, None, "r2")
    assert (active.state, active.state_reason, active.revision_id) == (State.ACTIVE, "", "r2")
    failed = states.settled(pending, "bad zip", "r2")
    assert (failed.state, failed.state_reason_code) == (State.FAILED, "InvalidZipFileException")
    assert failed.state_reason == "bad zip"


def test_an_update_ends_successful_or_failed_and_stays_active() -> None:
    changing = states.updating(version())
    assert (changing.state, changing.last_update) == (State.ACTIVE, UpdateStatus.IN_PROGRESS)
    done = states.settled(changing, None, "r2")
    assert (done.state, done.last_update, done.last_update_reason) == (State.ACTIVE, UpdateStatus.SUCCESSFUL, "")
    failed = states.settled(changing, "bad zip", "r2")
    assert (failed.state, failed.last_update) == (State.ACTIVE, UpdateStatus.FAILED)


def test_a_failed_function_gets_a_new_chance_with_an_update() -> None:
    failed = replace(version(), state=State.FAILED)
    assert states.updating(failed).state is State.PENDING


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (states.creating(version()), "currently in the following state: Pending"),
        (states.updating(version()), "An update is in progress for resource: arn"),
    ],
)
def test_nothing_is_changed_before_the_last_change_is_settled(changed: object, words: str) -> None:
    with pytest.raises(ApiError) as error:
        states.check_changeable(changed, "arn")  # type: ignore[arg-type]
    assert error.value.code == "ResourceConflictException"
    assert words in error.value.message


def test_only_an_active_version_is_invocable_also_during_an_update() -> None:
    states.check_invocable(version())
    states.check_invocable(states.updating(version()))
    for other in (states.creating(version()), replace(version(), state=State.FAILED)):
        with pytest.raises(ApiError, match="The operation cannot be performed at this time"):
            states.check_invocable(other)


def test_a_revision_is_compared_only_when_it_is_named() -> None:
    states.check_revision(None, "r1")
    states.check_revision("r1", "r1")
    with pytest.raises(ApiError) as error:
        states.check_revision("r0", "r1")
    assert error.value.code == "PreconditionFailedException"


def test_what_is_unsettled_is_known() -> None:
    assert not states.unsettled(version())
    assert states.unsettled(states.creating(version()))
    assert states.unsettled(states.updating(version()))
