"""The local IAM and STS, read: roles and users with their policies, and whose an access key is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlencode
from xml.etree import ElementTree

from runtime.http import Request, Response
from runtime.policy.callers import Role, User
from runtime.policy.documents import Policy, read_policy
from runtime.policy.mistakes import BadPolicy

Forward = Callable[[Request], Awaitable[Response]]
"""To whoever answers for the other services."""

_VERSIONS = {"iam": "2010-05-08", "sts": "2011-06-15"}
_ALL = "1000"


@dataclass(frozen=True, slots=True)
class Known:
    """What IAM has on a role or a user."""

    id: str
    """`AROA…` or `AIDA…`."""
    policies: tuple[Policy, ...]
    boundary: Policy | None = None
    trust: Policy | None = None
    """Who may assume the role; None for a user."""


class Iam:
    """Asks on behalf of an account: the backend tells accounts apart by access key, whatever the signature."""

    def __init__(self, forward: Forward, region: str) -> None:
        self._forward = forward
        self._region = region

    async def owner(self, access_key_id: str) -> Role | User | None:
        """Whose key it is; None when STS and IAM do not know it.

        Raises:
            OSError: the backend cannot be reached.
        """
        answer = await self._ask("sts", "GetCallerIdentity", access_key_id)
        arn = _text(answer, "Arn") if answer is not None else ""
        resource = arn.rpartition(":")[2].split("/")
        if resource[0] == "assumed-role" and len(resource) == 3:
            role = await self._ask("iam", "GetRole", access_key_id, RoleName=resource[1])
            known = _text(role, "Arn") if role is not None else ""
            return Role(known or f"arn:aws:iam::{arn.split(':')[4]}:role/{resource[1]}", resource[2])
        return User(arn) if ":iam:" in arn and resource[0] == "user" else None

    async def role(self, arn: str, access_key_id: str) -> Known | None:
        """What is known of the role; None when there is none of that ARN.

        Raises:
            OSError: the backend cannot be reached.
            BadPolicy: one of its policies cannot be read.
        """
        name = arn.rpartition("/")[2]
        found = await self._ask("iam", "GetRole", access_key_id, RoleName=name)
        if found is None or _text(found, "Arn") != arn:
            return None
        trust = read_policy(_document(_text(found, "AssumeRolePolicyDocument")), f"of {arn}, who may assume it")
        policies = await self._policies("Role", name, access_key_id)
        return Known(_text(found, "RoleId"), policies, await self._boundary(found, access_key_id), trust)

    async def user(self, arn: str, access_key_id: str) -> Known | None:
        """What is known of the user, its groups' policies included; None when there is none of that ARN.

        Raises:
            OSError, BadPolicy: as `role`.
        """
        name = arn.rpartition("/")[2]
        found = await self._ask("iam", "GetUser", access_key_id, UserName=name)
        if found is None or _text(found, "Arn") != arn:
            return None
        policies = await self._policies("User", name, access_key_id)
        groups = await self._ask("iam", "ListGroupsForUser", access_key_id, UserName=name, MaxItems=_ALL)
        for group in _texts(groups, "GroupName"):
            policies += await self._policies("Group", group, access_key_id)
        return Known(_text(found, "UserId"), policies, await self._boundary(found, access_key_id))

    async def _policies(self, kind: str, name: str, key: str) -> tuple[Policy, ...]:
        """The inline and the attached policies of a Role, User or Group."""
        who = {f"{kind}Name": name}
        found = []
        inline = await self._ask("iam", f"List{kind}Policies", key, MaxItems=_ALL, **who)
        for policy in _texts(inline, "PolicyNames/{*}member"):
            document = await self._ask("iam", f"Get{kind}Policy", key, PolicyName=policy, **who)
            if document is not None:
                found.append(read_policy(_document(_text(document, "PolicyDocument")), policy))
        attached = await self._ask("iam", f"ListAttached{kind}Policies", key, MaxItems=_ALL, **who)
        for arn in _texts(attached, "PolicyArn"):
            managed = await self._managed(arn, key)
            if managed is not None:
                found.append(managed)
        return tuple(found)

    async def _managed(self, arn: str, key: str) -> Policy | None:
        policy = await self._ask("iam", "GetPolicy", key, PolicyArn=arn)
        if policy is None:
            return None
        version = _text(policy, "DefaultVersionId")
        document = await self._ask("iam", "GetPolicyVersion", key, PolicyArn=arn, VersionId=version)
        return read_policy(_document(_text(document, "Document")), arn) if document is not None else None

    async def _boundary(self, found: ElementTree.Element, key: str) -> Policy | None:
        arn = _text(found, "PermissionsBoundary/{*}PermissionsBoundaryArn")
        if not arn:
            return None
        boundary = await self._managed(arn, key)
        if boundary is None:
            raise BadPolicy(f"the permissions boundary {arn} does not exist")
        return boundary

    async def _ask(self, service: str, action: str, key: str, **parameters: str) -> ElementTree.Element | None:
        """The answer's XML; None when the service refused."""
        scope = f"{key}/20150101/{self._region}/{service}/aws4_request"
        headers = {
            "host": f"{service}.amazonaws.com",
            "content-type": "application/x-www-form-urlencoded; charset=utf-8",
            "authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        }
        form = urlencode({"Action": action, "Version": _VERSIONS[service], **parameters})
        answer = await self._forward(Request("POST", "/", "", headers, form.encode()))
        if answer.status >= 500:
            raise OSError(f"{service} {action} was answered with {answer.status}")
        return ElementTree.fromstring(answer.body) if answer.status < 300 else None  # noqa: S314  (from our own backend)


def _text(answer: ElementTree.Element | None, path: str) -> str:
    found = _texts(answer, path)
    return found[0] if found else ""


def _texts(answer: ElementTree.Element | None, path: str) -> list[str]:
    """The texts at the end of `path`, wherever it begins, in whatever XML namespace."""
    if answer is None:
        return []
    return [element.text or "" for element in answer.iterfind(".//{*}" + path)]


def _document(text: str) -> str:
    """A policy document as IAM sends it: URL-encoded."""
    return unquote(text)
