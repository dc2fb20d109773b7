"""Who sends a request: told by the connection it comes on and the key it is signed with.

A connection out of a sandbox belongs to the function in it, whatever its request claims: it may use sessions that STS
gave it, but is never root and never another account by its word alone. Everybody else on this machine is the owner,
root, unless the key belongs to somebody known here.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping

from core.clock import Clock
from runtime.api.errors import ApiError
from runtime.http import Request
from runtime.policy.callers import Account, Anonymous, Caller, Role, Root, User
from runtime.policy.sessions import Sessions
from runtime.policy.signature import access_key_id, read, verified

Resident = Callable[[tuple[str, int]], Role | None]
"""The function whose sandbox an address belongs to; None for any other process."""
Vouched = Callable[[Mapping[str, str]], Caller | None]
"""Whom the backend says, with proof, that it calls for; None for anybody else's headers."""
Lookup = Callable[[str], Awaitable[Role | User | None]]
"""Whose key it is according to the local IAM and STS."""

ROOT = Root()
_ANONYMOUS = Anonymous()
_ISSUED = re.compile(r"A[KS]IA[A-Z0-9]{16}")
_ACCOUNT = re.compile(r"\d{12}")
OWN_KEYS = "AKIALOCALROOT"
"""What the keys begin with that this server and its backend use themselves: nobody issues such."""
_WRONG = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
_CALLER, _RESIDENT = "policy.caller", "policy.resident"


class Identification:
    """Remembers, per connection, who is on it. `lookup_needed()` says whether anybody issued keys at all."""

    def __init__(
        self,
        account: str,
        sessions: Sessions,
        resident: Resident,
        vouched: Vouched,
        lookup: Lookup,
        lookup_needed: Callable[[], bool],
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._account = account
        self._sessions = sessions
        self._resident = resident
        self._vouched = vouched
        self._lookup = lookup
        self._lookup_needed = lookup_needed

    def now(self, request: Request) -> Caller | None:
        """The caller; None when it takes `find` to tell."""
        vouched = self._vouched(request.headers)
        if vouched is not None:
            return vouched
        key = access_key_id(request)
        known: tuple[str, Caller] | None = request.session.get(_CALLER)
        if known is None or known[0] != key:
            caller = self._told(request, key)
            if caller is None:
                return None
            known = request.session[_CALLER] = (key, caller)
        return known[1]

    async def find(self, request: Request) -> Caller:
        """The caller, whatever it takes."""
        caller = self.now(request)
        if caller is None:
            key = access_key_id(request)
            caller = await self._lookup(key) or self.resident(request) or ROOT
            request.session[_CALLER] = (key, caller)
        return caller

    def resident(self, request: Request) -> Role | None:
        """The function whose sandbox the request comes out of; None when it comes out of none."""
        session = request.session
        if _RESIDENT not in session:
            session[_RESIDENT] = self._resident(request.peer) if request.peer is not None else None
        found: Role | None = session[_RESIDENT]
        return found

    def objection(self, request: Request, caller: Caller) -> ApiError | None:
        """Why the caller is not believed, as far as its secret is known; a function need not prove who it is."""
        if caller == self.resident(request):
            return None
        key = access_key_id(request)
        if self._sessions.is_void(key):
            return ApiError("UnrecognizedClientException", "The security token included in the request is invalid.")
        credentials = self._sessions.credentials(key)
        if credentials is None:
            return None
        if credentials.expires_at is not None and credentials.expires_at < self._clock.now().timestamp():
            return ApiError("ExpiredTokenException", "The security token included in the request is expired")
        signature = read(request)
        secret, token = credentials.secret_access_key, credentials.session_token
        if signature is not None and (request.incoming is not None or verified(request, signature, secret, token)):
            return None
        return ApiError("InvalidSignatureException", _WRONG)

    def _told(self, request: Request, key: str) -> Caller | None:
        resident = self.resident(request)
        owner = self._sessions.owner(key)
        if owner is not None:
            return owner
        if not key:
            return ROOT if resident is None else _ANONYMOUS
        if resident is None and _ACCOUNT.fullmatch(key) is not None:
            return ROOT if key == self._account else Account(key)
        if _ISSUED.fullmatch(key) is not None and not key.startswith(OWN_KEYS) and self._lookup_needed():
            return None
        return resident or ROOT
