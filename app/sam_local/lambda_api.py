"""The few Lambda operations these commands need, over HTTP with nothing but the standard library."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from app.local_target import ACCESS_KEY, REGION
from app.sam_local.problems import LocalError

SIGNED = f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101/{REGION}/lambda/aws4_request, SignedHeaders=host, "
OWNER = {"Authorization": SIGNED + "Signature=local"}
"""Makes a request the account owner's: the runtime asks for no more than a key that it has not issued itself."""
_FUNCTIONS = "/2015-03-31/functions"
_SETTLED_S = 120.0
# Source: reference §13: a URL needs both permissions
_OPEN_TO_ALL: Mapping[str, Mapping[str, Any]] = {
    "InvokeFunctionUrl": {"FunctionUrlAuthType": "NONE"},
    "InvokeFunction": {"InvokedViaFunctionUrl": True},
}
_ONLY_AT_FIRST = ("PackageType", "Architectures")


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """The runtime answered a request with an error."""

    operation: str
    status: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.operation}: {self.code}: {self.message}"


class LambdaApi:
    """The runtime on `port`. One connection; not for several threads at once."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)

    def create(self, name: str, settings: Mapping[str, Any], code: Mapping[str, Any]) -> None:
        """Make the function, and wait until it can be invoked. Raises: Refused, LocalError."""
        self._ask("CreateFunction", "POST", _FUNCTIONS, {"FunctionName": name, "Code": code, **settings})
        self.settle(name)

    def update_settings(self, name: str, settings: Mapping[str, Any]) -> None:
        """Give an existing function new settings, and wait until they are in effect. Raises: as `create`."""
        kept = {key: value for key, value in settings.items() if key not in _ONLY_AT_FIRST}
        place = f"{_FUNCTIONS}/{quote(name)}/configuration"
        self._ask("UpdateFunctionConfiguration", "PUT", place, {"Layers": [], **kept})
        self.settle(name)

    def update_code(self, name: str, code: Mapping[str, Any]) -> None:
        """Give an existing function new code, and wait until it is in effect. Raises: as `create`."""
        self._ask("UpdateFunctionCode", "PUT", f"{_FUNCTIONS}/{quote(name)}/code", code)
        self.settle(name)

    def delete(self, name: str) -> None:
        """Remove the function. Raises: Refused."""
        self._ask("DeleteFunction", "DELETE", f"{_FUNCTIONS}/{quote(name)}", None)

    def publish_layer(self, name: str, content: Mapping[str, str]) -> str:
        """The ARN of the layer's new version; `content` says where its zip is. Raises: Refused."""
        path = f"/2018-10-31/layers/{quote(name)}/versions"
        answer = self._ask("PublishLayerVersion", "POST", path, {"Content": content})
        return str(answer["LayerVersionArn"])

    def publish_url(self, name: str, config: Mapping[str, Any]) -> str:
        """The host of the function's URL, made (or made anew) for anybody to call. Raises: Refused."""
        place = f"/2021-10-31/functions/{quote(name)}/url"
        settings = {**config, "AuthType": "NONE"}
        try:
            answer = self._ask("UpdateFunctionUrlConfig", "PUT", place, settings)
        except Refused:
            answer = self._ask("CreateFunctionUrlConfig", "POST", place, settings)
            for action, condition in _OPEN_TO_ALL.items():
                statement = {"StatementId": action, "Action": f"lambda:{action}", "Principal": "*", **condition}
                self._ask("AddPermission", "POST", f"{_FUNCTIONS}/{quote(name)}/policy", statement)
        return urlsplit(str(answer["FunctionUrl"])).netloc

    def settle(self, name: str) -> None:
        """Wait until the function is Active and its last update in effect. Raises: LocalError, Refused."""
        until = time.monotonic() + _SETTLED_S
        while True:
            place = f"{_FUNCTIONS}/{quote(name)}/configuration"
            found = self._ask("GetFunctionConfiguration", "GET", place, None)
            states = (found.get("State", "Active"), found.get("LastUpdateStatus", "Successful"))
            if states == ("Active", "Successful"):
                return
            if "Failed" in states:
                why = found.get("StateReason") or found.get("LastUpdateStatusReason") or ""
                raise LocalError(f"the function {name} cannot be made", why=str(why))
            if time.monotonic() > until:
                raise LocalError(f"the function {name} was not ready after {_SETTLED_S:.0f} s")
            time.sleep(0.002)

    def invoke(self, name: str, payload: bytes) -> tuple[bytes, str]:
        """What the function answered, and its function error or "". Raises: Refused."""
        path = f"{_FUNCTIONS}/{quote(name)}/invocations"
        self._connection.request("POST", path, payload, {**OWNER, "Content-Type": "application/json"})
        response = self._connection.getresponse()
        body = response.read()
        if response.status >= 300:
            raise _refused("Invoke", response.status, dict(response.headers), body)
        return body, response.headers.get("X-Amz-Function-Error", "")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _ask(self, operation: str, method: str, path: str, body: Mapping[str, Any] | None) -> Mapping[str, Any]:
        payload = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, payload, {**OWNER, "Content-Type": "application/json"})
        response = self._connection.getresponse()
        raw = response.read()
        if response.status >= 300:
            raise _refused(operation, response.status, dict(response.headers), raw)
        answer: Mapping[str, Any] = json.loads(raw) if raw else {}
        return answer


def _refused(operation: str, status: int, headers: Mapping[str, str], body: bytes) -> Refused:
    folded = {name.lower(): value for name, value in headers.items()}
    code = folded.get("x-amzn-errortype", "").partition(":")[0]
    try:
        data = json.loads(body)
        message = data.get("message") or data.get("Message") or ""
    except (ValueError, AttributeError):
        message = body.decode("utf-8", "replace")
    return Refused(operation, status, code or f"HTTP {status}", message)
