"""Functions as the backend reaches them: over HTTP at our server's endpoint, on behalf of a service or a role."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from urllib.parse import quote

from runtime.gateway.backend import traces
from runtime.gateway.files import Files
from runtime.gateway.trusted import headers_of
from runtime.policy.callers import Role, Service

_TIMEOUT_S = 900.0
_ASK_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What our server said."""

    status: int
    payload: bytes
    function_error: str
    code: str
    """AWS's code of an error (`ResourceNotFoundException`), or empty."""

    @property
    def message(self) -> str:
        """The error's own words."""
        try:
            data = json.loads(self.payload)
        except ValueError:
            return ""
        return str(data.get("message") or data.get("Message") or "") if isinstance(data, dict) else ""


class Functions:
    """Invoke, by ARN."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def invoke(
        self, arn: str, payload: bytes, caller: Service | Role, kind: str = "RequestResponse", trace: str = ""
    ) -> Answer:
        """The answer of one Invoke of that type, as part of the trace if there is one.

        Raises:
            OSError: the server cannot be reached now.
        """
        party = self._files.server()
        if party is None:
            raise ConnectionRefusedError("there is no server")
        timeout_s = _TIMEOUT_S if kind == "RequestResponse" else _ASK_TIMEOUT_S
        connection = http.client.HTTPConnection(party.host, party.port, timeout=timeout_s)
        headers = headers_of(caller, self._files.secret()) | {"X-Amz-Invocation-Type": kind}
        if trace:
            headers[traces.HEADER] = trace
        try:
            path = f"/2015-03-31/functions/{quote(arn, safe='')}/invocations"
            connection.request("POST", path, payload, headers)
            answer = connection.getresponse()
            body = answer.read()
        except http.client.HTTPException as error:
            raise ConnectionResetError(str(error)) from error
        finally:
            connection.close()
        code = answer.getheader("x-amzn-ErrorType", "").partition(":")[0]
        return Answer(answer.status, body, answer.getheader("X-Amz-Function-Error", ""), code)

    def refusal(self, arn: str, caller: Service | Role) -> str:
        """Why `caller` may not invoke it now; empty when it may.

        Raises:
            OSError: the server cannot be reached now.
        """
        answer = self.invoke(arn, b"{}", caller, "DryRun")
        return "" if answer.status == 204 else answer.message or answer.code or f"status {answer.status}"
