"""What a release relies on in a Lambda service, held against the fake, moto and the local runtime alike."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.errors import InvalidInput, NotFound, PenstockError
from deploy import aws
from deploy.lambda_client import LambdaClient
from deploy.ports import AlreadyExists, RevisionMismatch
from deploy.traffic.weights import Routing, toward
from tests.contract.release.arrange import SETTINGS, code, create, ready, sha256, two_versions
from tests.contract.release.services import ROLE, Service


def test_what_does_not_exist_is_none(service: Service, name: str) -> None:
    api = service.clients.functions

    assert api.function(name) is None
    assert api.alias(name, "live") is None
    create(api, name)
    assert api.alias(name, "live") is None
    assert api.function(name, "7") is None


def test_a_created_function_is_described_as_it_was_asked_for(service: Service, name: str) -> None:
    api = service.clients.functions
    create(api, name)

    found = ready(api, name)
    assert found.settings == SETTINGS
    assert (found.version, found.code_sha256) == ("$LATEST", sha256(code()))
    assert api.versions(name) == ()


def test_creating_twice_is_refused(service: Service, name: str) -> None:
    api = service.clients.functions
    create(api, name)

    with pytest.raises(AlreadyExists):
        api.create_function(name, SETTINGS, code())


def test_a_configuration_is_replaced_as_a_whole_and_the_role_kept(service: Service, name: str) -> None:
    api = service.clients.functions
    create(api, name)

    changed = replace(SETTINGS, memory_mb=256, timeout_s=7, environment={"OTHER": "two"}, role="")
    api.update_configuration(name, changed)

    assert ready(api, name).settings == replace(changed, role=ROLE)


def test_an_environment_can_be_emptied(service: Service, name: str) -> None:
    api = service.clients.functions
    create(api, name)

    api.update_configuration(name, replace(SETTINGS, environment={}))

    assert ready(api, name).settings.environment == {}


def test_publishing_counts_up_and_unchanged_code_publishes_nothing_new(service: Service, name: str) -> None:
    api = service.clients.functions
    two_versions(api, name)

    assert api.publish_version(name, sha256(code("2"))) == "2"
    assert [item.version for item in api.versions(name)] == ["1", "2"]
    assert [item.code_sha256 for item in api.versions(name)] == [sha256(code("1")), sha256(code("2"))]
    assert api.versions(name)[0].settings == SETTINGS


def test_publishing_other_code_than_expected_is_refused(service: Service, name: str) -> None:
    if service.kind == "moto":
        pytest.skip("moto does not look at CodeSha256")
    api = service.clients.functions
    create(api, name)

    with pytest.raises(InvalidInput):
        api.publish_version(name, sha256(b"other"))
    assert api.versions(name) == ()


def test_an_alias_is_created_once_wholly_on_its_version(service: Service, name: str) -> None:
    api = service.clients.functions
    two_versions(api, name)

    created = api.create_alias(name, "live", "1")

    assert created.routing == Routing("1")
    assert api.alias(name, "live") == created
    with pytest.raises(AlreadyExists):
        api.create_alias(name, "live", "2")


def test_an_alias_shifts_splits_and_is_cleared_in_single_writes(service: Service, name: str) -> None:
    api = service.clients.functions
    two_versions(api, name)
    alias = api.create_alias(name, "live", "1")

    for weight_pct in (1, 12.5, 50, 100, 0):
        wanted = toward("1", "2", weight_pct)
        written = api.update_alias(name, "live", wanted, alias.revision_id)
        assert written.routing == wanted
        alias = api.alias(name, "live") or alias
        assert alias == written


def test_a_write_with_an_old_revision_is_refused_and_changes_nothing(service: Service, name: str) -> None:
    if not service.enforces_revisions:
        pytest.skip("moto takes any RevisionId")
    api = service.clients.functions
    two_versions(api, name)
    first = api.create_alias(name, "live", "1")
    second = api.update_alias(name, "live", toward("1", "2", 10), first.revision_id)
    assert second.revision_id != first.revision_id

    with pytest.raises(RevisionMismatch):
        api.update_alias(name, "live", Routing("2"), first.revision_id)
    assert api.alias(name, "live") == second


def test_an_alias_cannot_name_a_version_that_does_not_exist(service: Service, name: str) -> None:
    api = service.clients.functions
    two_versions(api, name)
    alias = api.create_alias(name, "live", "1")

    with pytest.raises(PenstockError):
        api.update_alias(name, "live", Routing("9"), alias.revision_id)
    assert (api.alias(name, "live") or alias).routing == Routing("1")


def test_invoking_what_does_not_exist_is_not_found(service: Service, name: str) -> None:
    with pytest.raises(NotFound):
        service.clients.functions.invoke(name, b"{}")


def test_a_weighted_alias_really_runs_both_versions(service: Service, name: str) -> None:
    if not service.runs_code:
        pytest.skip(f"{service.kind} does not run a handler here")
    api = service.clients.functions
    two_versions(api, name)
    alias = api.create_alias(name, "live", "1")
    api.update_alias(name, "live", toward("1", "2", 50), alias.revision_id)

    answers = [api.invoke(f"{name}:live", b"{}") for _ in range(60)]

    assert {answer.executed_version for answer in answers} == {"1", "2"}
    assert all(json.loads(answer.payload) == answer.executed_version for answer in answers)


def test_a_targets_role_is_assumed_and_its_credentials_sign_the_calls(service: Service, name: str) -> None:
    if service.kind != "moto":
        pytest.skip(f"{service.kind} has no STS")
    target = replace(service.target, role_arn="arn:aws:iam::999999999999:role/deployer")
    create(service.clients.functions, name)

    other_account = LambdaClient(target)

    assert service.clients.functions.function(name) is not None
    assert other_account.function(name) is None, "the role's account has no such function"
    credentials = aws.session(target).get_credentials()
    assert credentials is not None
    assert credentials.get_frozen_credentials().token
