"""Who the backend says it calls for."""

from __future__ import annotations

from runtime.gateway.trusted import PROOF, caller_of, headers_of
from runtime.policy.callers import Role, Service


def test_only_the_backends_proof_makes_a_service() -> None:
    service = Service("s3.amazonaws.com", "arn:aws:s3:::photos", "123456789012")
    role = Role("arn:aws:iam::123456789012:role/scheduler", "run")
    for caller in (service, role):
        headers = headers_of(caller, "proof")
        assert caller_of(headers, "proof") == caller
        assert caller_of(headers, "other") is None
        assert caller_of({**headers, PROOF: ""}, "") is None
        assert caller_of({name: value for name, value in headers.items() if name != PROOF}, "proof") is None
