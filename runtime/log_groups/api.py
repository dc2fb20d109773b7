"""CloudWatch Logs' operations on groups, their settings and their filters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.clock import Clock
from runtime.api.errors import ApiError
from runtime.api.rpc import Act
from runtime.control.paging import page
from runtime.log_groups.groups import Group, GroupSettings
from runtime.log_groups.metric_filters import MetricFilters, check
from runtime.log_groups.patterns.pattern import compile_pattern
from runtime.logs import Logs
from runtime.names import Scope

NAMES_PER_PAGE = 50
RETENTIONS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""Source: CloudWatch Logs, PutRetentionPolicy."""
_MOST_FILTERS = 100


class GroupOperations:
    """Operations by name."""

    def __init__(self, logs: Logs, filters: MetricFilters, clock: Clock, scope: Scope) -> None:
        self._logs = logs
        self._filters = filters
        self._clock = clock
        self._scope = scope
        self.table: dict[str, Act] = {
            "CreateLogGroup": self.create,
            "DeleteLogGroup": self.delete,
            "DescribeLogGroups": self.describe,
            "PutRetentionPolicy": self.retain,
            "DeleteRetentionPolicy": self.retain_for_ever,
            "TagLogGroup": self.tag,
            "UntagLogGroup": self.untag,
            "ListTagsLogGroup": self.tags,
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.tags,
            "PutMetricFilter": self.put_filter,
            "DeleteMetricFilter": self.delete_filter,
            "DescribeMetricFilters": self.filters,
            "TestMetricFilter": self.test_filter,
        }

    def now_ms(self) -> int:
        """The time in milliseconds."""
        return round(self._clock.now().timestamp() * 1000)

    def group(self, parameters: Mapping[str, Any]) -> Group:
        """The group a request names, by its name or its ARN.

        Raises:
            ApiError: there is none.
        """
        given = parameters.get("logGroupName") or parameters.get("logGroupIdentifier") or parameters.get("resourceArn")
        if not given:
            raise ApiError("InvalidParameterException", "logGroupName or logGroupIdentifier is required")
        return self.named(str(given))

    def named(self, given: str) -> Group:
        """The group of a name or an ARN.

        Raises:
            ApiError: there is none.
        """
        name = given.partition(":log-group:")[2].removesuffix(":*") if ":log-group:" in given else given
        found = self._logs.groups.get(name)
        if found is None:
            raise ApiError("ResourceNotFoundException", "The specified log group does not exist.")
        return found

    def arn(self, group: Group) -> str:
        """`arn:aws:logs:<region>:<account>:log-group:<name>`."""
        return f"arn:aws:logs:{self._scope.region}:{self._scope.account}:log-group:{group.name}"

    # groups -----------------------------------------------------------------------------------------------------

    def create(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing; the group exists."""
        name = parameters["logGroupName"]
        if name.lower().startswith("aws/"):
            raise ApiError("InvalidParameterException", "Log groups starting with AWS/ are reserved for AWS.")
        if self._logs.groups.get(name) is not None:
            raise ApiError("ResourceAlreadyExistsException", "The specified log group already exists")
        kind, tags = parameters.get("logGroupClass", "STANDARD"), parameters.get("tags", {})
        self._logs.groups.create(name, GroupSettings(self.now_ms(), None, kind, tags))
        return {}

    def delete(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing; the group and all its events are gone."""
        group = self.group(parameters)
        self._logs.flush()
        self._logs.groups.delete(group)
        self._logs.forget(group.directory)
        return {}

    def describe(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One page of groups."""
        if "logGroupNamePrefix" in parameters and parameters.get("logGroupNamePattern"):
            raise ApiError("InvalidParameterException", "LogGroup name prefix and pattern are mutually exclusive")
        self._logs.flush()
        prefix, part = parameters.get("logGroupNamePrefix", ""), parameters.get("logGroupNamePattern", "").lower()
        wanted, kind = parameters.get("logGroupIdentifiers"), parameters.get("logGroupClass")
        found = [
            group
            for group in self._logs.groups.all()
            if group.name.startswith(prefix)
            and part in group.name.lower()
            and kind in {None, group.settings.kind}
            and (wanted is None or group.name in wanted or self.arn(group) in wanted)
        ]
        shown, following = page(found, parameters.get("nextToken"), parameters.get("limit"), NAMES_PER_PAGE)
        return {"logGroups": [self._shown(group) for group in shown], "nextToken": following}

    def _shown(self, group: Group) -> dict[str, Any]:
        settings, arn = group.settings, self.arn(group)
        return {
            "logGroupName": group.name,
            "creationTime": settings.created_ms,
            "retentionInDays": settings.retention_days,
            "metricFilterCount": len(settings.metric_filters),
            "arn": f"{arn}:*",
            "logGroupArn": arn,
            "storedBytes": sum(path.stat().st_size for path in group.streams().values() if path.exists()),
            "logGroupClass": settings.kind,
        }

    def retain(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing; events older than that many days go."""
        days = parameters["retentionInDays"]
        if days not in RETENTIONS:
            known = ", ".join(map(str, RETENTIONS))
            raise ApiError(
                "InvalidParameterException",
                f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: "
                f"Member must satisfy enum value set: [{known}]",
            )
        group = self.group(parameters)
        group.save(replace(group.settings, retention_days=days))
        return {}

    def retain_for_ever(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing; no event goes by its age."""
        group = self.group(parameters)
        group.save(replace(group.settings, retention_days=None))
        return {}

    # tags -------------------------------------------------------------------------------------------------------

    def tag(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing; the group has these tags, too."""
        group = self.group(parameters)
        group.save(replace(group.settings, tags={**group.settings.tags, **parameters["tags"]}))
        return {}

    def untag(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing; the group has these tags no longer."""
        group, gone = self.group(parameters), parameters.get("tagKeys") or parameters.get("tags", [])
        left = {key: value for key, value in group.settings.tags.items() if key not in gone}
        group.save(replace(group.settings, tags=left))
        return {}

    def tags(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The group's tags."""
        return {"tags": dict(self.group(parameters).settings.tags)}

    # metric filters ---------------------------------------------------------------------------------------------

    def put_filter(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing; from now on, matching events are counted."""
        check(parameters)
        group, name = self.group(parameters), parameters["filterName"]
        kept = {
            "filterPattern": parameters["filterPattern"],
            "metricTransformations": list(parameters["metricTransformations"]),
            "creationTime": self.now_ms(),
        }
        filters = {**group.settings.metric_filters, name: kept}
        if len(filters) > _MOST_FILTERS:
            raise ApiError("LimitExceededException", "Resource limit exceeded.")
        self._save_filters(group, filters)
        return {}

    def delete_filter(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing; the filter is gone."""
        group, name = self.group(parameters), parameters["filterName"]
        if name not in group.settings.metric_filters:
            raise ApiError("ResourceNotFoundException", "The specified metric filter does not exist.")
        left = {key: value for key, value in group.settings.metric_filters.items() if key != name}
        self._save_filters(group, left)
        return {}

    def _save_filters(self, group: Group, filters: Mapping[str, Mapping[str, Any]]) -> None:
        group.save(replace(group.settings, metric_filters=filters))
        self._filters.attach(group)

    def filters(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One page of metric filters; of one group, or of all."""
        groups = [self.group(parameters)] if "logGroupName" in parameters else self._logs.groups.all()
        prefix = parameters.get("filterNamePrefix", "")
        found = [
            {"filterName": name, "logGroupName": group.name, **kept}
            for group in groups
            for name, kept in sorted(group.settings.metric_filters.items())
            if name.startswith(prefix)
            and parameters.get("metricName") in {None, kept["metricTransformations"][0]["metricName"]}
            and parameters.get("metricNamespace") in {None, kept["metricTransformations"][0]["metricNamespace"]}
        ]
        shown, following = page(found, parameters.get("nextToken"), parameters.get("limit"), NAMES_PER_PAGE)
        return {"metricFilters": shown, "nextToken": following}

    def test_filter(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Which of some messages a pattern matches, and what it extracts from them."""
        pattern = compile_pattern(parameters["filterPattern"])
        found = [(number, text, pattern(text)) for number, text in enumerate(parameters["logEventMessages"], 1)]
        matches = [
            {"eventNumber": number, "eventMessage": text, "extractedValues": values}
            for number, text, values in found
            if values is not None
        ]
        return {"matches": matches}
