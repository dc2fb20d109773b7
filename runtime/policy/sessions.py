"""Credentials whose owner is known: those given to execution environments, and those that STS and IAM handed out."""

from __future__ import annotations

import secrets
from base64 import b32encode
from dataclasses import dataclass, field

from runtime.catalog.records import FunctionVersion
from runtime.policy.callers import Role, User

_KEY_BYTES, _SECRET_BYTES, _TOKEN_BYTES = 10, 30, 96


@dataclass(frozen=True, slots=True)
class Credentials:
    """As AWS's variables name them. What is secret of them does not show up in logs."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    expires_at: float | None = None
    """Seconds since 1970; None: never."""


class Sessions:
    """Who owns which access key, and its secret where that is known. In memory: a restart forgets environments too."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, str, str], Credentials] = {}
        self._owners: dict[str, Role | User] = {}
        self._credentials: dict[str, Credentials] = {}
        self._void: set[str] = set()
        self._functions: dict[str, Role] = {}

    def credentials_for(self, version: FunctionVersion) -> Credentials:
        """The role session a version's environments run with: the same for as long as the server runs.

        Source: Lambda, "assumed-role/<role>/<function name>".
        """
        place = (version.name, version.version, version.settings["Role"])
        if place not in self._given:
            made = self._given[place] = _drawn()
            session = self._functions[f"{version.name}:{version.version}"] = _session_of(version)
            self.learn(made, session)
        return self._given[place]

    def of_function(self, arn: str) -> Role | None:
        """The session of the function version with this ARN; None when it was never given one."""
        return self._functions.get(arn.partition(":function:")[2])

    def learn(self, credentials: Credentials, owner: Role | User) -> None:
        """Recognise these from now on."""
        self._owners[credentials.access_key_id] = owner
        self._credentials[credentials.access_key_id] = credentials

    def set_void(self, access_key_id: str, *, void: bool) -> None:
        """The key counts no more (deleted, made inactive), or again."""
        (self._void.add if void else self._void.discard)(access_key_id)

    def is_void(self, access_key_id: str) -> bool:
        """Whether the key was good once and is not any more."""
        return access_key_id in self._void

    def owner(self, access_key_id: str) -> Role | User | None:
        """Whose key it is; None when it is none of these."""
        return self._owners.get(access_key_id)

    def credentials(self, access_key_id: str) -> Credentials | None:
        """All three of them; None when the key is none of these."""
        return self._credentials.get(access_key_id)


def _session_of(version: FunctionVersion) -> Role:
    return Role(version.settings["Role"], version.name, f"{version.name}:{version.version}")


def _drawn() -> Credentials:
    """New ones, in AWS's form: temporary keys begin with ASIA and have 20 letters."""
    key = "ASIA" + b32encode(secrets.token_bytes(_KEY_BYTES)).decode()
    return Credentials(key, secrets.token_urlsafe(_SECRET_BYTES), secrets.token_urlsafe(_TOKEN_BYTES))
