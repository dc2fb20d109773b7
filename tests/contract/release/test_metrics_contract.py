"""What a release relies on in CloudWatch, held against the fake, moto and the local runtime alike."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy import aws
from deploy.analysis.threshold import floor
from deploy.ports import Query
from deploy.traffic.weights import toward
from tests.contract.release.arrange import two_versions, until
from tests.contract.release.services import Service
from tests.fakes.lambda_service import FakeMetrics

PERIOD_S = 60


def cloudwatch(service: Service) -> Any:
    return aws.client(service.target, aws.session(service.target), "cloudwatch")


def queries(name: str, version: str) -> list[Query]:
    place = {"FunctionName": name, "Resource": f"{name}:live", "ExecutedVersion": version}
    return [Query(metric.lower(), metric, place, "Sum", PERIOD_S) for metric in ("Invocations", "Errors")]


def totals(service: Service, name: str, version: str, begun: datetime) -> dict[str, float]:
    end = datetime.now(UTC) + timedelta(seconds=1)
    found = service.clients.metrics.series(queries(name, version), floor(begun, PERIOD_S), end)
    return {metric: sum(point.value for point in points) for metric, points in found.items()}


def serve(service: Service, name: str, version: str, good: int, bad: int) -> None:
    """`name:live` serves that many requests by `version`, as far as the service is told or made to count them."""
    at = datetime.now(UTC)
    if service.kind == "fake":
        assert isinstance(service.clients.metrics, FakeMetrics)
        service.clients.metrics.record(f"{name}:live", version, at, good + bad, bad)
    elif service.kind == "moto":
        place = {"FunctionName": name, "Resource": f"{name}:live", "ExecutedVersion": version}
        dimensions = [{"Name": key, "Value": value} for key, value in place.items()]
        for metric, value in (("Invocations", good + bad), ("Errors", bad)):
            data = {"MetricName": metric, "Dimensions": dimensions, "Timestamp": at, "Value": value}
            cloudwatch(service).put_metric_data(Namespace="AWS/Lambda", MetricData=[data])
    else:
        invoke_until_served(service, name, version, good, bad)


def invoke_until_served(service: Service, name: str, version: str, good: int, bad: int) -> None:
    """The alias draws its version anew for each request, so it is called until `version` had its share."""
    left = {False: good, True: bad}
    while any(left.values()):
        fail = left[True] > 0
        answer = service.clients.functions.invoke(f"{name}:live", json.dumps({"fail": fail}).encode())
        if answer.executed_version == version:
            left[fail] -= 1


def split(service: Service, name: str) -> None:
    """Version 2 has half of the traffic of `name:live`; both fail when the event says so."""
    api = service.clients.functions
    two_versions(api, name, body="assert not event.get('fail')")
    alias = api.create_alias(name, "live", "1")
    api.update_alias(name, "live", toward("1", "2", 50), alias.revision_id)


def test_invocations_and_errors_are_counted_by_executed_version_behind_the_alias(service: Service, name: str) -> None:
    split(service, name)
    begun = datetime.now(UTC)

    serve(service, name, "2", good=3, bad=2)

    found = until(lambda: totals(service, name, "2", begun), lambda found: (found or {}).get("invocations") == 5)
    assert found == {"invocations": 5, "errors": 2}


def test_what_was_never_counted_is_an_empty_series(service: Service, name: str) -> None:
    found = service.clients.metrics.series(
        queries(name, "9"), datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC)
    )

    assert found == {"invocations": (), "errors": ()}


def test_an_alarm_that_does_not_exist_has_no_state(service: Service, name: str) -> None:
    assert service.clients.metrics.alarm_states([f"{name}-nobody"]) == {}


def test_an_existing_alarms_state_is_read(service: Service, name: str) -> None:
    if service.kind == "fake":
        pytest.skip("the fake has no PutMetricAlarm")
    put_alarm(cloudwatch(service), name)

    for state in ("OK", "ALARM"):
        cloudwatch(service).set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")
        found = service.clients.metrics.alarm_states([name, f"{name}-nobody"])
        assert {key: value.value for key, value in found.items()} == {name: state}


def put_alarm(api: Any, name: str) -> None:
    api.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[{"Name": "FunctionName", "Value": name}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
