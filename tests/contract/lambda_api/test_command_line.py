"""The AWS CLI, unchanged, against the local runtime."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.contract.lambda_api.conftest import Target
from tests.fakes.runtime_process import ROLE, package


def aws(target: Target, *arguments: str) -> Any:
    """What `aws` prints, decoded."""
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_PAGER": "",
    }
    command = [str(Path(sys.executable).with_name("aws")), "--endpoint-url", target.url, "--output", "json", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "null")


def test_create_publish_alias_invoke_and_metrics_through_the_aws_cli(runtime: Target, tmp_path: Path) -> None:
    archive, answer = tmp_path / "code.zip", tmp_path / "answer.json"
    archive.write_bytes(package())
    made = aws(
        runtime, "lambda", "create-function", "--function-name", "by-cli", "--runtime", "python3.11",
        "--handler", "app.handler", "--role", ROLE, "--zip-file", f"fileb://{archive}", "--publish",
    )  # fmt: skip
    assert made["FunctionName"] == "by-cli"
    aws(runtime, "lambda", "wait", "function-active-v2", "--function-name", "by-cli")
    named = ("--function-name", "by-cli")
    aws(runtime, "lambda", "create-alias", *named, "--name", "live", "--function-version", "1")
    told = aws(runtime, "lambda", "invoke", *named, "--qualifier", "live", "--payload", '{"a": 1}', str(answer))
    assert (told["StatusCode"], told["ExecutedVersion"]) == (200, "1")
    assert json.loads(answer.read_text()) == {"a": 1}
    listed = aws(runtime, "cloudwatch", "list-metrics", "--namespace", "AWS/Lambda", "--metric-name", "Invocations")
    assert {"Name": "FunctionName", "Value": "by-cli"} in [
        dimension for metric in listed["Metrics"] for dimension in metric["Dimensions"]
    ]


def test_permissions_layers_concurrency_urls_and_mappings_through_the_aws_cli(runtime: Target, tmp_path: Path) -> None:
    archive = tmp_path / "code.zip"
    archive.write_bytes(package())
    named = ("--function-name", runtime.new_function())
    layer = aws(
        runtime, "lambda", "publish-layer-version", "--layer-name", "by-cli", "--zip-file", f"fileb://{archive}"
    )
    aws(runtime, "lambda", "update-function-configuration", *named, "--layers", layer["LayerVersionArn"])
    aws(runtime, "lambda", "wait", "function-updated-v2", *named)
    found = aws(runtime, "lambda", "get-layer-version-by-arn", "--arn", layer["LayerVersionArn"])
    assert found["Content"]["CodeSha256"] == layer["Content"]["CodeSha256"]
    aws(
        runtime, "lambda", "add-permission", *named, "--statement-id", "bucket", "--principal", "s3.amazonaws.com",
        "--action", "lambda:InvokeFunction", "--source-arn", "arn:aws:s3:::photos",
    )  # fmt: skip
    policy = json.loads(aws(runtime, "lambda", "get-policy", *named)["Policy"])
    assert [statement["Sid"] for statement in policy["Statement"]] == ["bucket"]
    aws(runtime, "lambda", "remove-permission", *named, "--statement-id", "bucket")
    aws(runtime, "lambda", "put-function-concurrency", *named, "--reserved-concurrent-executions", "3")
    shown = aws(runtime, "lambda", "get-function", *named)
    assert shown["Concurrency"] == {"ReservedConcurrentExecutions": 3}
    assert [each["Arn"] for each in shown["Configuration"]["Layers"]] == [layer["LayerVersionArn"]]
    aws(runtime, "lambda", "create-function-url-config", *named, "--auth-type", "NONE")
    urls = aws(runtime, "lambda", "list-function-url-configs", *named)["FunctionUrlConfigs"]
    assert [each["AuthType"] for each in urls] == ["NONE"]
    queue = aws(runtime, "sqs", "create-queue", "--queue-name", "by-cli")["QueueUrl"]
    arn = aws(runtime, "sqs", "get-queue-attributes", "--queue-url", queue, "--attribute-names", "QueueArn")
    made = aws(
        runtime, "lambda", "create-event-source-mapping", *named, "--batch-size", "1",
        "--event-source-arn", arn["Attributes"]["QueueArn"],
    )  # fmt: skip
    assert made["State"] == "Creating"
    listed = aws(runtime, "lambda", "list-event-source-mappings", *named)["EventSourceMappings"]
    assert [each["UUID"] for each in listed] == [made["UUID"]]
    assert aws(runtime, "lambda", "get-account-settings")["AccountLimit"]["ConcurrentExecutions"] == 1000
