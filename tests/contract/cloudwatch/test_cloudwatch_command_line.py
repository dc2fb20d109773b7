"""The AWS CLI, unchanged: metrics, alarms and logs of the local runtime."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.contract.cloudwatch.conftest import Target


def aws(target: Target, *arguments: str) -> Any:
    """What `aws` prints, decoded."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_PAGER": "",
    }
    command = [str(Path(sys.executable).with_name("aws")), "--endpoint-url", target.url, "--output", "json", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "null")


def test_metrics_and_alarms(runtime: Target) -> None:
    name = runtime.new_name("cli")
    aws(
        runtime, "cloudwatch", "put-metric-data", "--namespace", name, "--metric-name", "Depth", "--value", "9",
        "--dimensions", "Queue=a", "--unit", "Count",
    )  # fmt: skip
    (metric,) = aws(runtime, "cloudwatch", "list-metrics", "--namespace", name)["Metrics"]
    assert metric["Dimensions"] == [{"Name": "Queue", "Value": "a"}]
    aws(
        runtime, "cloudwatch", "put-metric-alarm", "--alarm-name", name, "--namespace", name, "--metric-name", "Depth",
        "--dimensions", "Name=Queue,Value=a", "--statistic", "Maximum", "--period", "60", "--evaluation-periods", "1",
        "--threshold", "5", "--comparison-operator", "GreaterThanThreshold",
    )  # fmt: skip
    aws(runtime, "cloudwatch", "set-alarm-state", "--alarm-name", name, "--state-value", "OK", "--state-reason", "r")
    (alarm,) = aws(runtime, "cloudwatch", "describe-alarms", "--alarm-names", name)["MetricAlarms"]
    assert (alarm["StateValue"], alarm["Threshold"]) == ("OK", 5.0)


def test_logs(runtime: Target) -> None:
    group = f"/cli/{runtime.new_name()}"
    aws(runtime, "logs", "create-log-group", "--log-group-name", group)
    aws(runtime, "logs", "create-log-stream", "--log-group-name", group, "--log-stream-name", "s")
    events = json.dumps([{"timestamp": round(time.time() * 1000), "message": '{"level": "ERROR"}'}])
    named = ("--log-group-name", group)
    aws(runtime, "logs", "put-log-events", *named, "--log-stream-name", "s", "--log-events", events)
    aws(runtime, "logs", "put-retention-policy", *named, "--retention-in-days", "7")
    found = aws(runtime, "logs", "filter-log-events", *named, "--filter-pattern", "{ $.level = ERROR }")
    assert [each["message"] for each in found["events"]] == ['{"level": "ERROR"}']
    (described,) = aws(runtime, "logs", "describe-log-groups", "--log-group-name-prefix", group)["logGroups"]
    assert described["retentionInDays"] == 7
