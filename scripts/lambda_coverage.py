"""`python scripts/lambda_coverage.py` writes docs/lambda-coverage.md, from AWS's model and the operations table."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from botocore import __version__ as botocore_version  # noqa: E402  (the path comes first)
from botocore.model import OperationModel, ServiceModel  # noqa: E402

from runtime.api.model import load_service  # noqa: E402
from runtime.control import mapping_rules, operations, settings  # noqa: E402
from runtime.control.plane import Plane  # noqa: E402

DOCUMENT = ROOT / "docs" / "lambda-coverage.md"
APART = ("Invoke", "InvokeWithResponseStream")
"""Answered outside the table, where every microsecond counts."""
NOTES = {
    "CreateFunctionUrlConfig": "the URL leads to this machine: `http://<id>.lambda-url.<region>.localhost:<port>/`",
    "GetFunctionCodeSigningConfig": "answers that there is none",
    "ListCodeSigningConfigs": "answers that there are none",
    "GetRuntimeManagementConfig": "`Auto`: what is installed on the machine",
    "PutRuntimeManagementConfig": "`Auto` only",
    "CreateEventSourceMapping": "Amazon SQS, Amazon Kinesis and Amazon DynamoDB streams",
    "PublishVersion": "`PublishTo` is refused",
    "UpdateFunctionCode": "`PublishTo` and `SourceKMSKeyArn` are refused",
    "PutProvisionedConcurrencyConfig": "while an alias routes to two versions, they share its environments by weight",
    "CreateFunction": "python3.x, nodejs, provided, and container images that the machine's Docker has",
    "GetAccountSettings": "concurrency as the server was started with",
}


class _Anything:
    """Stands for the parts of the control plane: only the names of the operations are asked for."""

    def __getattr__(self, name: str) -> Any:
        return self


def served() -> frozenset[str]:
    """The operations that are answered."""
    return frozenset(operations.table(cast("Plane", _Anything()), "")) | frozenset(APART)


def document() -> str:
    """The whole page."""
    model = load_service("lambda")
    ours = served()
    every = [model.operation_model(name) for name in model.operation_names]
    there = [each for each in every if each.name in ours]
    absent = [each for each in every if each.name not in ours]
    unknown = ours - set(model.operation_names)
    if unknown:
        raise ValueError(f"no operations of the model: {', '.join(sorted(unknown))}")
    return "\n".join(
        [
            "# Which operations of the Lambda API are answered",
            "",
            f"`scripts/lambda_coverage.py` makes this page from the service model of botocore {botocore_version} and",
            "the table in `runtime/control/operations.py`; a test says when it is out of date.",
            "",
            f"{len(there)} of {len(every)} operations are answered. Each of the others is refused with status 501,",
            "code `NotImplementedException` and a message that names it.",
            "",
            "## Answered",
            "",
            *_table(there),
            "",
            "## Not answered",
            "",
            *_table(absent),
            "",
            "## Parameters that are refused by name",
            "",
            *_refused(model),
            "",
            "## Settings that are kept and shown, and do nothing",
            "",
            "An environment's log says so in a `[WARN]` line.",
            "",
            *(f"* {name}" for name in settings.RECORDED_ONLY),
            "",
        ]
    )


def _table(listed: Sequence[OperationModel]) -> list[str]:
    rows = ["| operation | address | |", "| --- | --- | --- |"]
    for each in listed:
        address = f"`{each.http['method']} {each.http['requestUri']}`"
        rows.append(f"| {each.name} | {address} | {NOTES.get(each.name, '')} |")
    return rows


def _refused(model: ServiceModel) -> list[str]:
    rules = {
        "CreateFunction": settings.UNDERSTOOD,
        "UpdateFunctionConfiguration": settings.UNDERSTOOD,
        "UpdateFunctionCode": settings.UNDERSTOOD,
        "CreateEventSourceMapping": mapping_rules.UNDERSTOOD,
        "UpdateEventSourceMapping": mapping_rules.UNDERSTOOD,
    }
    lines = []
    for name, understood in rules.items():
        shape: Any = model.operation_model(name).input_shape
        refused = sorted(set(shape.members) - understood)
        lines.append(f"* {name}: {', '.join(f'`{each}`' for each in refused) or 'none'}")
    return lines


def main() -> int:
    """0; the document is as it has to be."""
    DOCUMENT.write_text(document())
    return 0


if __name__ == "__main__":
    sys.exit(main())
