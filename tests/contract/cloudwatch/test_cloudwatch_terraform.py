"""Terraform's AWS provider, unchanged: log groups, metric filters and alarms of the local runtime."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.contract.cloudwatch.conftest import Target
from tests.fakes.terraform import Terraform, missing

NO_CHANGES = 0
pytestmark = [
    pytest.mark.skipif(bool(missing()), reason=missing() or "it can be run"),
    pytest.mark.slow,
    pytest.mark.timeout(900),
]


def test_logs_and_alarms_are_applied_found_unchanged_moved_on_and_destroyed(runtime: Target, tmp_path: Path) -> None:
    shutil.copy(Path(__file__).with_name("terraform") / "main.tf", tmp_path)
    first = Terraform(tmp_path, {"endpoint": runtime.url})
    for arguments in (("init",), ("apply", "-auto-approve")):
        code, said = first.run(*arguments)
        assert code == 0, said
    code, said = first.run("plan", "-detailed-exitcode")
    assert code == NO_CHANGES, said
    alarms = runtime.cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"], AlarmNamePrefix="orders")
    assert [each["AlarmName"] for each in alarms["MetricAlarms"]] == [
        "orders-error-rate", "orders-errors", "orders-slow",
    ]  # fmt: skip
    assert [each["AlarmName"] for each in alarms["CompositeAlarms"]] == ["orders"]

    second = Terraform(tmp_path, {"endpoint": runtime.url, "retention": "14"})
    code, said = second.run("apply", "-auto-approve")
    assert code == 0, said
    (group,) = runtime.logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/orders")["logGroups"]
    assert group["retentionInDays"] == 14

    code, said = second.run("destroy", "-auto-approve")
    assert code == 0, said
    assert runtime.cloudwatch.describe_alarms(AlarmNamePrefix="orders")["MetricAlarms"] == []
    assert runtime.logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/orders")["logGroups"] == []
