"""Whether what a mapping wants to read from is there, and suits the function."""

from __future__ import annotations

from typing import Any

from runtime.api.errors import invalid
from runtime.control.mapping_rules import Source
from runtime.control.sources import Aws
from runtime.names import Scope


class EventSources:
    """Asks the services of this endpoint."""

    def __init__(self, aws: Aws, scope: Scope) -> None:
        self._aws = aws
        self._scope = scope

    async def check(self, source: Source, timeout_s: int) -> None:
        """Nothing when the source exists and, if it is a queue, hides messages as long as the function may run.

        Raises:
            ApiError: InvalidParameterValueException. Source: reference §12, "queue visibility timeout must be >=".
        """
        if (source.account, source.region) != (self._scope.account, self._scope.region):
            raise invalid(
                f"Event source {source.arn} belongs to another account or region, which is not on this machine"
            )
        try:
            if source.kind == "sqs":
                await self._check_queue(source, timeout_s)
            elif source.kind == "kinesis":
                await self._aws.call("kinesis", "describe_stream_summary", StreamARN=source.arn)
            else:
                await self._aws.call("dynamodbstreams", "describe_stream", StreamArn=source.arn, Limit=1)
        except Exception as error:
            refusal = getattr(error, "response", {}).get("Error")
            if not refusal:
                raise
            raise invalid(_worded(source, refusal)) from error

    async def _check_queue(self, source: Source, timeout_s: int) -> None:
        url = await self._aws.call("sqs", "get_queue_url", QueueName=source.name, QueueOwnerAWSAccountId=source.account)
        answer = await self._aws.call(
            "sqs", "get_queue_attributes", QueueUrl=url["QueueUrl"], AttributeNames=["VisibilityTimeout"]
        )
        hidden_s = int(answer.get("Attributes", {}).get("VisibilityTimeout", 30))
        if hidden_s < timeout_s:
            raise invalid(
                f"Queue visibility timeout: {hidden_s} seconds is less than Function timeout: {timeout_s} seconds"
            )


def _worded(source: Source, refusal: dict[str, Any]) -> str:
    if source.kind == "sqs":
        return (
            f"Error occurred while ReceiveMessage. SQS Error Code: {refusal.get('Code')}. "
            f"SQS Error Message: {refusal.get('Message')}"
        )
    return f"Stream not found: {source.arn}"
