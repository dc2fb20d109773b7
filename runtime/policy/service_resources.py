"""The resource that an operation of a JSON or query service is about, as an ARN. Pure.

Source: Service Authorization Reference, resource types of each service.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runtime.names import Scope

Parameters = Mapping[str, Any]
Found = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class ServiceNeed:
    """One permission; `resource` is an ARN, `*`, or None when it is not known what it is about."""

    action: str
    resource: str | None


@dataclass(frozen=True, slots=True)
class _Asked:
    operation: str
    parameters: Parameters
    scope: Scope

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.scope.region}:{self.scope.account}:{resource}"


def resources_of(prefix: str, operation: str, parameters: Parameters, scope: Scope) -> Found:
    """What the operation is about: at least one; (None,) when that is not known."""
    known = _SERVICES.get(prefix)
    return (known(_Asked(operation, parameters, scope)) or (None,)) if known is not None else (None,)


def _sqs(asked: _Asked) -> Found:
    if asked.operation == "ListQueues":
        return ("*",)
    name = str(asked.parameters.get("QueueUrl", "")).rpartition("/")[2] or asked.parameters.get("QueueName")
    return (asked.arn("sqs", str(name)),) if name else ()


def _sns(asked: _Asked) -> Found:
    if asked.operation in {"ListTopics", "ListSubscriptions"} or "PhoneNumber" in asked.parameters:
        return ("*",)
    if asked.operation == "CreateTopic":
        return (asked.arn("sns", str(asked.parameters.get("Name"))),)
    if "SubscriptionArn" in asked.parameters:
        return (str(asked.parameters["SubscriptionArn"]).rpartition(":")[0],)
    return _present(asked.parameters, "TopicArn", "TargetArn", "ResourceArn")


def _dynamodb(asked: _Asked) -> Found:
    def table(name: str) -> str:
        arn = asked.arn("dynamodb", f"table/{name}")
        return name if name.startswith("arn:") else arn

    if asked.operation in {"ListTables", "ListStreams", "DescribeLimits", "DescribeEndpoints"}:
        return ("*",)
    if asked.operation in {"BatchGetItem", "BatchWriteItem"}:
        return tuple(table(name) for name in asked.parameters.get("RequestItems", {}))
    if asked.operation == "GetShardIterator" or "StreamArn" in asked.parameters:
        return _present(asked.parameters, "StreamArn")
    name = asked.parameters.get("TableName")
    if not name:
        return _present(asked.parameters, "ResourceArn")
    index = asked.parameters.get("IndexName")
    return (f"{table(name)}/index/{index}" if index else table(name),)


def _kinesis(asked: _Asked) -> Found:
    if asked.operation in {"ListStreams", "DescribeLimits"}:
        return ("*",)
    given = _present(asked.parameters, "StreamARN", "ConsumerARN")
    name = asked.parameters.get("StreamName")
    return given or ((asked.arn("kinesis", f"stream/{name}"),) if name else ())


def _firehose(asked: _Asked) -> Found:
    name = asked.parameters.get("DeliveryStreamName")
    return (asked.arn("firehose", f"deliverystream/{name}"),) if name else ("*",)


def _secretsmanager(asked: _Asked) -> Found:
    """A secret's ARN ends in six letters that its name does not tell."""
    if asked.operation in {"ListSecrets", "GetRandomPassword", "BatchGetSecretValue"}:
        return ("*",)
    identifier = str(asked.parameters.get("SecretId", ""))
    return (identifier,) if identifier.startswith("arn:") else ()


def _ssm(asked: _Asked) -> Found:
    if "Parameter" not in asked.operation:
        return ()
    if asked.operation == "DescribeParameters":
        return ("*",)
    names = asked.parameters.get("Names") or [asked.parameters.get("Name") or asked.parameters.get("Path") or ""]
    base = asked.arn("ssm", "parameter/")
    return tuple(_parameter(base, str(name)) for name in names if name)


def _parameter(base: str, name: str) -> str:
    """`name` may be an ARN, begin with a slash, and end in a version or a label."""
    if name.startswith("arn:"):
        return name
    return base + name.lstrip("/").partition(":")[0]


def _events(asked: _Asked) -> Found:
    if asked.operation == "PutEvents":
        buses = {str(entry.get("EventBusName") or "default") for entry in asked.parameters.get("Entries", [])}
        return tuple(
            bus if bus.startswith("arn:") else asked.arn("events", f"event-bus/{bus}") for bus in sorted(buses)
        )
    if asked.operation in {"ListRules", "ListEventBuses", "ListRuleNamesByTarget"}:
        return ("*",)
    rule = asked.parameters.get("Rule") or (asked.parameters.get("Name") if "Rule" in asked.operation else None)
    if rule is None:
        return ()
    bus = str(asked.parameters.get("EventBusName") or "default").rpartition("/")[2]
    return (asked.arn("events", f"rule/{rule}" if bus == "default" else f"rule/{bus}/{rule}"),)


def _states(asked: _Asked) -> Found:
    if asked.operation in {"ListStateMachines", "ListActivities"}:
        return ("*",)
    return _present(asked.parameters, "stateMachineArn", "executionArn", "activityArn")


def _kms(asked: _Asked) -> Found:
    if asked.operation in {"ListKeys", "ListAliases", "CreateKey", "GenerateRandom"}:
        return ("*",)
    key = str(asked.parameters.get("KeyId", ""))
    if not key or "alias/" in key:
        return ()
    return (key if key.startswith("arn:") else asked.arn("kms", f"key/{key}"),)


def _logs(asked: _Asked) -> Found:
    group, stream = asked.parameters.get("logGroupName"), asked.parameters.get("logStreamName")
    if not group or not stream:
        return ()
    return (asked.arn("logs", f"log-group:{group}:log-stream:{stream}"),)


def _sts(asked: _Asked) -> Found:
    return _present(asked.parameters, "RoleArn")


def _iam(asked: _Asked) -> Found:
    """Names of roles and users do not tell their paths."""
    return _present(asked.parameters, "PolicyArn")


def _everything(_: _Asked) -> Found:
    return ("*",)


def _present(parameters: Parameters, *names: str) -> Found:
    return next(((str(parameters[name]),) for name in names if parameters.get(name)), ())


_SERVICES: Mapping[str, Callable[[_Asked], Found]] = {
    "cloudwatch": _everything,
    "dynamodb": _dynamodb,
    "events": _events,
    "firehose": _firehose,
    "iam": _iam,
    "kinesis": _kinesis,
    "kms": _kms,
    "logs": _logs,
    "secretsmanager": _secretsmanager,
    "sns": _sns,
    "sqs": _sqs,
    "ssm": _ssm,
    "states": _states,
    "sts": _sts,
}
