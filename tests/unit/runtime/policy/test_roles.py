"""What IAM says is read when needed, remembered, read again in good time, and never waited for without need."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest

from core.clock import VirtualClock
from runtime.http import Request, Response
from runtime.policy.callers import Role, User
from runtime.policy.iam import Iam
from runtime.policy.mistakes import BadPolicy
from runtime.policy.roles import KEPT_S, UNKNOWN_S, Roles

HOME = "123456789012"
ARN = f"arn:aws:iam::{HOME}:role/worker"
WORKER = Role(ARN, "s")
ALLOW = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
NS = 'xmlns="https://iam.amazonaws.com/doc/2010-05-08/"'


class Backend:
    """An IAM with one role, or none."""

    def __init__(self) -> None:
        self.running = self.has_role = True
        self.document = ALLOW
        self.asked: list[str] = []
        self.down = False
        self.clock = VirtualClock(datetime(2026, 11, 23, tzinfo=UTC))
        self.roles = Roles(Iam(self.forward, "us-east-1"), lambda: self.running, self.clock, HOME, "ROOTKEY")

    async def forward(self, request: Request) -> Response:
        action = request.body.decode().partition("&")[0].removeprefix("Action=")
        self.asked.append(action)
        await asyncio.sleep(0)
        if self.down:
            return Response(503)
        return self._answer(action)

    def _answer(self, action: str) -> Response:
        inner = {
            "GetRole": f"<Role><Arn>{ARN}</Arn><RoleId>AROA1</RoleId><AssumeRolePolicyDocument>{ALLOW}"
            "</AssumeRolePolicyDocument></Role>",
            "ListRolePolicies": "<PolicyNames><member>own</member></PolicyNames>",
            "GetRolePolicy": f"<PolicyDocument>{self.document}</PolicyDocument>",
            "ListAttachedRolePolicies": "<AttachedPolicies/>",
            "GetCallerIdentity": f"<Arn>arn:aws:iam::{HOME}:user/bob</Arn>",
        }[action]
        if action == "GetRole" and not self.has_role:
            return Response(404, (), b"<ErrorResponse/>")
        return Response(200, (), f"<A {NS}><R>{inner}</R></A>".encode())

    def times(self, action: str = "GetRole") -> int:
        return self.asked.count(action)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


@pytest.fixture
def backend() -> Backend:
    return Backend()


def test_a_role_is_read_once(backend: Backend) -> None:
    async def work() -> None:
        assert not backend.roles.ready(WORKER)
        found = await asyncio.gather(*(backend.roles.load(WORKER) for _ in range(5)))
        assert {each.id for each in found if each is not None} == {"AROA1"}
        assert backend.roles.ready(WORKER)

    run(work())
    assert backend.times() == 1
    policies = backend.roles.of(WORKER).policies
    assert policies is not None
    assert [policy.name for policy in policies] == ["own"]


def test_while_nothing_runs_nothing_is_asked(backend: Backend) -> None:
    backend.running = False

    async def work() -> None:
        assert backend.roles.ready(WORKER)
        assert await backend.roles.load(WORKER) is None

    run(work())
    assert backend.asked == []
    assert backend.roles.unknown(ARN)


def test_what_is_old_is_used_and_read_again_meanwhile(backend: Backend) -> None:
    async def work() -> None:
        await backend.roles.load(WORKER)
        backend.clock.advance(KEPT_S + 1)
        assert backend.roles.ready(WORKER)
        assert backend.times() == 1
        while backend.times("ListAttachedRolePolicies") < 2:
            await asyncio.sleep(0)

    run(work())


def test_an_absent_role_is_looked_for_again_soon(backend: Backend) -> None:
    backend.has_role = False

    async def work() -> None:
        assert await backend.roles.load(WORKER) is None
        assert backend.roles.unknown(ARN)
        backend.has_role = True
        assert await backend.roles.load(WORKER, latest=True) is None
        backend.clock.advance(UNKNOWN_S + 1)
        assert await backend.roles.load(WORKER, latest=True) is not None
        assert not backend.roles.unknown(ARN)

    run(work())


def test_a_change_is_waited_for_and_the_old_answer_holds_until_then(backend: Backend) -> None:
    async def work() -> None:
        await backend.roles.load(WORKER)
        backend.roles.forget()
        assert not backend.roles.ready(WORKER)
        assert backend.roles.of(WORKER).policies is not None
        await backend.roles.load(WORKER)

    run(work())
    assert backend.times() == 2


def test_a_change_during_a_reading_makes_it_read_again(backend: Backend) -> None:
    async def work() -> None:
        reading = asyncio.create_task(backend.roles.load(WORKER))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        backend.roles.forget()
        await reading
        assert not backend.roles.ready(WORKER)

    run(work())


def test_a_bad_policy_and_a_silent_iam_allow_nothing(backend: Backend) -> None:
    backend.document = "{}x"

    async def work() -> None:
        with pytest.raises(BadPolicy, match="not JSON"):
            await backend.roles.load(WORKER)
        with pytest.raises(BadPolicy):
            backend.roles.of(WORKER)
        backend.document, backend.down = ALLOW, True
        backend.roles.forget()
        with pytest.raises(BadPolicy, match="IAM does not answer"):
            await backend.roles.load(WORKER)
        backend.down = False
        assert await backend.roles.load(WORKER) is not None

    run(work())


def test_the_owner_of_a_key_is_asked_for_once(backend: Backend) -> None:
    async def work() -> None:
        for _ in range(3):
            assert await backend.roles.owner("AKIA" + "A" * 16) == User(f"arn:aws:iam::{HOME}:user/bob")

    run(work())
    assert backend.times("GetCallerIdentity") == 1
