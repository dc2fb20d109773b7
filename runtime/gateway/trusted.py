"""How the backend says on whose behalf it calls a function: a service, or a role that a service uses. Pure.

The headers count only together with the secret that server and backend share (`Files.secret`); whoever else sends them
is the caller that its signature says.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from runtime.policy.callers import Caller, Role, Service

PROOF = "x-penstock-proof"
_PRINCIPAL, _SOURCE_ARN, _SOURCE_ACCOUNT = "x-penstock-principal", "x-penstock-source-arn", "x-penstock-source-account"


def headers_of(caller: Service | Role, proof: str) -> dict[str, str]:
    """What the backend sends along."""
    if isinstance(caller, Role):
        return {PROOF: proof, _PRINCIPAL: caller.arn, _SOURCE_ARN: caller.session}
    return {
        PROOF: proof,
        _PRINCIPAL: caller.principal,
        _SOURCE_ARN: caller.source_arn,
        _SOURCE_ACCOUNT: caller.source_account,
    }


def caller_of(headers: Mapping[str, str], proof: str) -> Caller | None:
    """Whom the backend calls for; None when the request does not come from it. `headers` are in lower case."""
    claimed = headers.get(PROOF)
    if claimed is None or not proof or not hmac.compare_digest(claimed.encode(), proof.encode()):
        return None
    principal = headers.get(_PRINCIPAL, "")
    if principal.startswith("arn:"):
        return Role(principal, headers.get(_SOURCE_ARN, ""))
    return Service(principal, headers.get(_SOURCE_ARN, ""), headers.get(_SOURCE_ACCOUNT, ""))
