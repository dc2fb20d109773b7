"""AWS clients for the runtime's own use: they speak to this server's endpoint as the account's root."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from runtime.names import Scope

_KEY, _SECRET = "AKIALOCALROOTRUNTIME", "local"
_THREADS = 64


class Clients:
    """Clients of any service at `endpoint_url`, made when first asked for; botocore is not imported before that."""

    def __init__(self, endpoint_url: str, scope: Scope) -> None:
        self._endpoint_url = endpoint_url
        self._scope = scope
        self._lock = threading.Lock()
        self._session: Any = None
        self._clients: dict[str, Any] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="aws")

    def client(self, service: str) -> Any:
        """A botocore client; may be used from many threads at once. Its calls block: make them in a thread."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    async def call(self, service: str, operation: str, **parameters: Any) -> Any:
        """The answer of one call (`call("sqs", "send_message", QueueUrl=…)`), made in a thread of this object's own.

        Raises:
            botocore.exceptions.ClientError: the service refused.
            botocore.exceptions.BotoCoreError: it could not be reached, or the parameters are wrong.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, partial(self._call, service, operation, parameters)
        )

    def close(self) -> None:
        """Take no more calls; those under way end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _call(self, service: str, operation: str, parameters: dict[str, Any]) -> Any:
        return getattr(self.client(service), operation)(**parameters)

    def _make(self, service: str) -> Any:
        from botocore.config import Config
        from botocore.session import Session

        if self._session is None:  # nothing of the user's own AWS configuration may have a say here
            nowhere = (None, None, os.devnull, None)
            none = (None, None, None, None)
            self._session = Session({"profile": none, "config_file": nowhere, "credentials_file": nowhere})
        return self._session.create_client(
            service,
            region_name=self._scope.region,
            endpoint_url=self._endpoint_url,
            aws_access_key_id=_KEY,
            aws_secret_access_key=_SECRET,
            config=Config(
                max_pool_connections=_THREADS,
                retries={"mode": "standard", "total_max_attempts": 3},
                s3={"addressing_style": "path"},
                connect_timeout=5,
                read_timeout=70,
            ),
        )
