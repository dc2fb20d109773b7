"""Log groups as the backend reaches them: they are the server's, not moto's."""

from __future__ import annotations

import http.client
import json
import logging
from collections.abc import Mapping
from typing import Any

from runtime.gateway.files import Files

_log = logging.getLogger(__name__)
_TIMEOUT_S = 10.0


class LogGroups:
    """CloudWatch Logs at our server's endpoint, for the owner of the account."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def put(self, group: str, stream: str, text: str, at_ms: int) -> None:
        """One event in a new stream of the group; a group that is not there is only logged."""
        place = {"logGroupName": group, "logStreamName": stream}
        for operation, parameters in (
            ("CreateLogStream", place),
            ("PutLogEvents", {**place, "logEvents": [{"timestamp": at_ms, "message": text}]}),
        ):
            refusal = self._call(operation, parameters)
            if refusal:
                _log.warning("log group %s did not take an event: %s", group, refusal)
                return

    def _call(self, operation: str, parameters: Mapping[str, Any]) -> str:
        """Why it was refused; empty when it was not."""
        party = self._files.server()
        if party is None:
            return "there is no server"
        connection = http.client.HTTPConnection(party.host, party.port, timeout=_TIMEOUT_S)
        headers = {"X-Amz-Target": f"Logs_20140328.{operation}", "Content-Type": "application/x-amz-json-1.1"}
        try:
            connection.request("POST", "/", json.dumps(parameters), headers)
            answer = connection.getresponse()
            body = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return str(error)
        finally:
            connection.close()
        return "" if answer.status == 200 else body
