"""Who is on a connection: the function in the sandbox, whoever owns the key, or root."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from core.clock import VirtualClock
from runtime.http import Request
from runtime.policy.callers import Account, Anonymous, Caller, Role, Root, Service, User
from runtime.policy.identify import Identification
from runtime.policy.sessions import Credentials, Sessions

HOME = "123456789012"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
FUNCTION = Role(f"arn:aws:iam::{HOME}:role/worker", "orders", "orders:$LATEST")
ASSUMED = Role(f"arn:aws:iam::{HOME}:role/admin", "somebody")
BOB = User(f"arn:aws:iam::{HOME}:user/bob")
BUCKET = Service("s3.amazonaws.com", "arn:aws:s3:::uploads", HOME)
SANDBOX, OUTSIDE = ("127.0.0.1", 5000), ("127.0.0.1", 6000)
KNOWN, FOREIGN = "ASIA" + "A" * 16, "AKIA" + "B" * 16


class Asked:
    """An Identification, and what it asked for."""

    def __init__(self, *, issued: bool = True) -> None:
        self.looked_up: list[str] = []
        self.peers: list[tuple[str, int]] = []
        self.sessions = Sessions()
        self.sessions.learn(Credentials(KNOWN, "secret", "token"), ASSUMED)
        self.it = Identification(
            HOME, self.sessions, self._resident, self._vouched, self._lookup, lambda: issued, VirtualClock(NOW)
        )

    def _resident(self, peer: tuple[str, int]) -> Role | None:
        self.peers.append(peer)
        return FUNCTION if peer == SANDBOX else None

    def _vouched(self, headers: Any) -> Caller | None:
        return BUCKET if headers.get("x-proof") == "right" else None

    async def _lookup(self, key: str) -> Role | User | None:
        self.looked_up.append(key)
        return BOB if key == FOREIGN else None

    def who(self, peer: tuple[str, int], key: str, session: dict[str, Any] | None = None) -> Caller:
        return asyncio.run(self.it.find(asking(peer, key, session)))


def asking(peer: tuple[str, int], key: str, session: dict[str, Any] | None = None, **headers: str) -> Request:
    if key:
        headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/lambda/aws4_request"
    return Request("GET", "/", "", headers, b"", peer, {} if session is None else session)


@pytest.mark.parametrize(
    ("peer", "key", "caller"),
    [
        (OUTSIDE, "testing", Root()),
        (OUTSIDE, "", Root()),
        (OUTSIDE, KNOWN, ASSUMED),
        (OUTSIDE, FOREIGN, BOB),
        (OUTSIDE, "AKIA" + "C" * 16, Root()),
        (OUTSIDE, HOME, Root()),
        (OUTSIDE, "999999999999", Account("999999999999")),
        (SANDBOX, "testing", FUNCTION),
        (SANDBOX, "", Anonymous()),
        (SANDBOX, KNOWN, ASSUMED),
        (SANDBOX, FOREIGN, BOB),
        (SANDBOX, "AKIA" + "C" * 16, FUNCTION),
        (SANDBOX, HOME, FUNCTION),
        (SANDBOX, "999999999999", FUNCTION),
    ],
)
def test_who_somebody_is(peer: tuple[str, int], key: str, caller: Caller) -> None:
    assert Asked().who(peer, key) == caller


def test_nobody_is_asked_while_nobody_has_issued_keys() -> None:
    asked = Asked(issued=False)

    assert asked.who(OUTSIDE, FOREIGN) == Root()
    assert asked.looked_up == []


def test_the_servers_own_keys_are_roots_without_asking() -> None:
    asked = Asked()

    assert asked.who(OUTSIDE, "AKIALOCALROOTRUNTIME") == Root()
    assert asked.looked_up == []


def test_a_connection_is_asked_about_once_and_a_change_of_key_is_seen() -> None:
    asked, session = Asked(), dict[str, Any]()

    callers = [asked.who(OUTSIDE, key, session) for key in (FOREIGN, FOREIGN, "testing", FOREIGN)]

    assert callers == [BOB, BOB, Root(), BOB]
    assert asked.peers == [OUTSIDE]


def test_the_backend_speaks_for_services_request_by_request() -> None:
    asked, session = Asked(), dict[str, Any]()

    assert asked.it.now(asking(OUTSIDE, "testing", session, **{"x-proof": "right"})) == BUCKET
    assert asked.it.now(asking(OUTSIDE, "testing", session, **{"x-proof": "wrong"})) == Root()


def test_a_known_key_needs_its_signature_but_for_the_function_it_was_given_to() -> None:
    asked = Asked()

    assert objection(asked, asking(OUTSIDE, KNOWN), ASSUMED) == "InvalidSignatureException"
    assert objection(asked, asking(SANDBOX, "testing"), FUNCTION) == ""
    assert objection(asked, asking(OUTSIDE, "testing"), Root()) == ""


def test_a_key_counts_until_it_expires_or_is_taken_back() -> None:
    asked = Asked()
    asked.sessions.learn(Credentials(FOREIGN, "secret", "token", NOW.timestamp() - 1), BOB)
    assert objection(asked, asking(OUTSIDE, FOREIGN), BOB) == "ExpiredTokenException"

    asked.sessions.set_void(KNOWN, void=True)
    assert objection(asked, asking(OUTSIDE, KNOWN), ASSUMED) == "UnrecognizedClientException"
    asked.sessions.set_void(KNOWN, void=False)
    assert objection(asked, asking(OUTSIDE, KNOWN), ASSUMED) == "InvalidSignatureException"


def objection(asked: Asked, request: Request, caller: Caller) -> str:
    """The code of what is said against the caller; empty for nothing."""
    found = asked.it.objection(request, caller)
    return "" if found is None else found.code


def test_credentials_do_not_show_themselves() -> None:
    text = repr(Credentials("ASIAKEY", "hidden-secret", "hidden-token"))

    assert "ASIAKEY" in text
    assert "hidden" not in text
