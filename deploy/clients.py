"""The clients of each target, made once and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable

from deploy.lambda_client import LambdaClient
from deploy.metrics_client import MetricsClient
from deploy.ports import Clients
from deploy.targets import Target

ClientFactory = Callable[[Target], Clients]


class BotoClients:
    """A ClientFactory that reaches every target through boto3. Equal targets share their clients."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[Target, Clients] = {}

    def __call__(self, target: Target) -> Clients:
        with self._lock:
            if target not in self._made:
                self._made[target] = Clients(LambdaClient(target), MetricsClient(target))
            return self._made[target]
