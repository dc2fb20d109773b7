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
