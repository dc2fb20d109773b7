"""An alias's share of traffic, measured on real invocations."""

from __future__ import annotations

import threading
from collections import Counter

from tests.fakes.runtime_process import Connection, RuntimeProcess

INVOCATIONS, CONNECTIONS = 10_000, 4
LOW, HIGH = 901, 1099
"""The central 99.9 % of a binomial distribution of 10,000 draws at 10 %: 1000 ± 3.29 * 30."""


def test_ten_thousand_invocations_of_an_alias_at_ten_percent_divide_as_they_should(server: RuntimeProcess) -> None:
    server.create("split", "def handler(event, context):\n    return 1\n", publish=True)
    server.update("split", "def handler(event, context):\n    return 2\n")
    lambda_ = server.client()
    lambda_.publish_version(FunctionName="split")
    routing = {"AdditionalVersionWeights": {"2": 0.1}}
    lambda_.create_alias(FunctionName="split", Name="live", FunctionVersion="1", RoutingConfig=routing)
    seen: Counter[tuple[int, str, bytes]] = Counter()
    lock = threading.Lock()

    def call() -> None:
        connection = Connection(server.port)
        mine: Counter[tuple[int, str, bytes]] = Counter()
        for _ in range(INVOCATIONS // CONNECTIONS):
            status, headers, body = connection.invoke("split:live")
            mine[(status, headers["x-amz-executed-version"], body)] += 1
        connection.close()
        with lock:
            seen.update(mine)

    threads = [threading.Thread(target=call) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) == {(200, "1", b"1"), (200, "2", b"2")}
    assert sum(seen.values()) == INVOCATIONS
    assert LOW <= seen[(200, "2", b"2")] <= HIGH


def test_weights_of_zero_and_one_are_exact(server: RuntimeProcess) -> None:
    server.create("edges", publish=True)
    server.update("edges", "def handler(event, context):\n    return 2\n")
    lambda_ = server.client()
    lambda_.publish_version(FunctionName="edges")
    lambda_.create_alias(FunctionName="edges", Name="live", FunctionVersion="1")
    connection = Connection(server.port)
    for weight, version in ((0.0, "1"), (1.0, "2")):
        routing = {"AdditionalVersionWeights": {"2": weight}}
        lambda_.update_alias(FunctionName="edges", Name="live", RoutingConfig=routing)
        assert {connection.invoke("edges:live")[1]["x-amz-executed-version"] for _ in range(100)} == {version}
