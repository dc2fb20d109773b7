"""Who asks: the kinds of callers that policies tell apart. Pure."""

from __future__ import annotations

from dataclasses import dataclass

LAMBDA = "lambda.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Root:
    """The owner of the account: whoever signs with a key that nothing here has issued."""


@dataclass(frozen=True, slots=True)
class Role:
    """A session of a role, of this account or another."""

    arn: str
    """The role's: `arn:aws:iam::<account>:role/<path><name>`."""
    session: str
    function: str = ""
    """`<name>` or `<name>:<version>` of the function that runs with this session; empty for any other session."""
    policy: str = ""
    """The session policy it was assumed with, as JSON; empty for none."""

    @property
    def session_arn(self) -> str:
        """`arn:aws:sts::<account>:assumed-role/<name>/<session>`."""
        partition, account = self.arn.split(":")[1], self.arn.split(":")[4]
        return f"arn:{partition}:sts::{account}:assumed-role/{self.name}/{self.session}"

    @property
    def name(self) -> str:
        """The role's name without its path."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class User:
    """An IAM user."""

    arn: str

    @property
    def name(self) -> str:
        """The user's name without its path."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Service:
    """An AWS service, on behalf of the resource whose event it brings."""

    principal: str
    """`s3.amazonaws.com`."""
    source_arn: str = ""
    source_account: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody of another account, trusted by it with everything."""

    id: str


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Nobody known: a request without a signature."""


Caller = Root | Role | User | Service | Account | Anonymous


def account_of(caller: Caller, home: str) -> str:
    """The account the caller belongs to; `home` for its root, empty for services and anonymous callers."""
    match caller:
        case Root():
            return home
        case Role() | User():
            return caller.arn.split(":")[4]
        case Account():
            return caller.id
        case _:
            return ""


def shown(caller: Caller, home: str) -> str:
    """The caller as AWS's messages name it: an ARN, a service's name, or `anonymous`."""
    match caller:
        case Role():
            return caller.session_arn
        case User():
            return caller.arn
        case Service():
            return caller.principal
        case Anonymous():
            return "anonymous"
        case _:
            return f"arn:aws:iam::{account_of(caller, home)}:root"
