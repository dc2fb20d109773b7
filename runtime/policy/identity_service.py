"""IAM and STS as seen from here: the backend keeps them, and what concerns callers of this server is read along.

Who am I is answered here, because only here is known which function asks. Keys that STS and IAM hand out are remembered
with their secrets, so that signatures made with them can be checked; a change in IAM counts at once.
"""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl
from xml.etree import ElementTree

from core.ids import Ids
from runtime.api.errors import ApiError
from runtime.http import Request, Response
from runtime.policy.authority import Authority
from runtime.policy.callers import Caller, Role, User, account_of, shown
from runtime.policy.denial import refusal
from runtime.policy.iam import Forward
from runtime.policy.identify import ROOT, Identification
from runtime.policy.mistakes import BadPolicy
from runtime.policy.roles import Roles
from runtime.policy.sessions import Credentials, Sessions

_READING = ("Get", "List", "Simulate", "Generate")


class IdentityService:
    """One of the dispatcher's services: the one for `iam` and `sts`."""

    def __init__(
        self,
        forward: Forward,
        identification: Identification,
        sessions: Sessions,
        roles: Roles,
        authority: Authority,
        account: str,
        ids: Ids,
    ) -> None:
        self._forward = forward
        self._identification = identification
        self._sessions = sessions
        self._roles = roles
        self._authority = authority
        self._account = account
        self._ids = ids

    def matches(self, request: Request, service: str) -> bool:
        """Whether `request` is for IAM or STS; AssumeRoleWithSAML and AssumeRoleWithWebIdentity are not signed."""
        return service in {"iam", "sts"} or (not service and request.body.startswith(b"Action=AssumeRoleWith"))

    async def handle(self, request: Request) -> Response:
        """The answer."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace") or request.query, keep_blank_values=True))
        action = form.get("Action", "")
        caller = await self._identification.find(request)
        if action == "GetCallerIdentity":
            return await self._who(caller)
        if action == "AssumeRole":
            try:
                await self._check_trust(caller, form.get("RoleArn", ""), form)
            except ApiError as error:
                return refusal(error, "sts", request, self._ids.uuid())
        answer = await self._forward(request)
        if not action.startswith(_READING) and answer.status < 300:
            self._read_along(action, form, answer)
        return answer

    async def _who(self, caller: Caller) -> Response:
        account = account_of(caller, self._account)
        request_id, arn = self._ids.uuid(), shown(caller, self._account)
        text = (
            '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
            f"<Arn>{arn}</Arn><UserId>{await self._user_id(caller) or account}</UserId><Account>{account}</Account>"
            f"</GetCallerIdentityResult><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
            "</GetCallerIdentityResponse>"
        )
        return Response(200, (("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)), text.encode())

    async def _user_id(self, caller: Caller) -> str:
        """IAM's id of the caller, made up for one that IAM does not know, but always the same; empty for an account."""
        if not isinstance(caller, Role | User):
            return ""
        try:
            known = await self._roles.load(caller)
        except BadPolicy:
            known = None
        made_up = b32encode(hashlib.sha256(caller.arn.encode()).digest()).decode()[:17]
        if isinstance(caller, User):
            return known.id if known is not None else f"AIDA{made_up}"
        return f"{known.id if known is not None else f'AROA{made_up}'}:{caller.session}"

    async def _check_trust(self, caller: Caller, arn: str, form: Mapping[str, str]) -> None:
        """The role lets the caller assume it, as far as the role is known. Root needs nobody's leave here.

        Raises:
            ApiError: it does not.
        """
        if caller is ROOT or not arn:
            return
        context = {"sts:ExternalId": form["ExternalId"]} if "ExternalId" in form else {}
        try:
            known = await self._roles.load(Role(arn, ""), latest=True)
        except BadPolicy as error:
            raise ApiError("AccessDeniedException", f"A policy of {arn} cannot be read: {error}") from None
        if known is not None:
            decision = self._authority.trusted(known.trust, caller, arn, context)
            if not decision.allowed:
                raise ApiError("AccessDeniedException", decision.message)

    def _read_along(self, action: str, form: Mapping[str, str], answer: Response) -> None:
        if action.startswith("AssumeRole") or action == "CreateAccessKey":
            self._learn(ElementTree.fromstring(answer.body), form)  # noqa: S314  (from our own backend)
        elif action == "DeleteAccessKey":
            self._sessions.set_void(form.get("AccessKeyId", ""), void=True)
        elif action == "UpdateAccessKey":
            self._sessions.set_void(form.get("AccessKeyId", ""), void=form.get("Status") != "Active")
        self._roles.forget()

    def _learn(self, answer: ElementTree.Element, form: Mapping[str, str]) -> None:
        def text(name: str) -> str:
            return answer.findtext(f".//{{*}}{name}") or ""

        expires = datetime.fromisoformat(text("Expiration")).timestamp() if text("Expiration") else None
        made = Credentials(text("AccessKeyId"), text("SecretAccessKey"), text("SessionToken"), expires)
        if not made.access_key_id:
            return
        if text("AssumedRoleUser/{*}Arn"):
            session = form.get("RoleSessionName") or text("AssumedRoleUser/{*}Arn").rpartition("/")[2]
            self._sessions.learn(made, Role(form["RoleArn"], session, policy=form.get("Policy", "")))
        elif text("UserName"):
            self._sessions.learn(made, User(f"arn:aws:iam::{self._account}:user/{text('UserName')}"))
