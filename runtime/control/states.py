"""How a version's State and LastUpdateStatus move, and what is possible meanwhile. Pure."""

from __future__ import annotations

from dataclasses import replace

from runtime.api.errors import ApiError, conflict
from runtime.catalog.records import FunctionVersion, State, UpdateStatus


def creating(version: FunctionVersion) -> FunctionVersion:
    """The version while its code is being unpacked for the first time."""
    return replace(
        version,
        state=State.PENDING,
        state_reason="The function is being created.",
        state_reason_code="Creating",
        last_update=UpdateStatus.SUCCESSFUL,
    )


def updating(version: FunctionVersion) -> FunctionVersion:
    """The version while a change is put into effect; a failed one gets a new chance with it."""
    if version.state is State.FAILED:
        return creating(version)
    return replace(
        version,
        last_update=UpdateStatus.IN_PROGRESS,
        last_update_reason="The function is being created.",
        last_update_reason_code="Creating",
    )


def settled(version: FunctionVersion, failure: str | None, revision_id: str) -> FunctionVersion:
    """The version after its code was unpacked, or could not be because of `failure`.

    A first failure makes it Failed; a failed update leaves the version Active on what it had (Source: Lambda's
    function states).
    """
    reason, code = (failure, "InvalidZipFileException") if failure is not None else ("", "")
    if version.state is State.PENDING:
        state = State.FAILED if failure is not None else State.ACTIVE
        return replace(version, state=state, state_reason=reason, state_reason_code=code, revision_id=revision_id)
    status = UpdateStatus.FAILED if failure is not None else UpdateStatus.SUCCESSFUL
    return replace(
        version,
        last_update=status,
        last_update_reason=reason,
        last_update_reason_code=code,
        revision_id=revision_id,
    )


def unsettled(version: FunctionVersion) -> bool:
    """Whether unpacking is still to be done."""
    return version.state is State.PENDING or version.last_update is UpdateStatus.IN_PROGRESS


def check_changeable(version: FunctionVersion, arn: str) -> None:
    """Nothing when the version may be updated or published now.

    Raises:
        ApiError: ResourceConflictException while it is Pending or an update is in progress.
    """
    if version.state is State.PENDING:
        raise conflict(
            "The operation cannot be performed at this time. The function is currently in the following state: Pending"
        )
    if version.last_update is UpdateStatus.IN_PROGRESS:
        raise conflict(f"The operation cannot be performed at this time. An update is in progress for resource: {arn}")


def check_invocable(version: FunctionVersion) -> None:
    """Nothing when the version can run.

    Raises:
        ApiError: ResourceConflictException while it is Pending or has Failed.
    """
    if version.state is not State.ACTIVE:
        raise conflict(
            "The operation cannot be performed at this time. The function is currently in the following state: "
            f"{version.state.value}"
        )


def check_revision(expected: str | None, actual: str, api: str = "GetFunction/GetAlias") -> None:
    """Nothing when the caller saw the latest revision, or did not ask.

    Raises:
        ApiError: PreconditionFailedException.
    """
    if expected is not None and expected != actual:
        raise ApiError(
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. "
            f"Call the {api} API to retrieve the latest Revision Id",
        )
