"""Which method answers which operation of the Lambda API; what is not here is answered with 501."""

from __future__ import annotations

from collections.abc import Mapping

from runtime.control.aliases import Aliases
from runtime.control.functions import Functions
from runtime.control.tags import Tags
from runtime.dispatch import Operation
from runtime.http import Request


def table(functions: Functions, aliases: Aliases, tags: Tags, default_host: str) -> Mapping[str, Operation]:
    """Operation name to what answers it. `default_host` is used when a request names no host."""

    def base_url(request: Request) -> str:
        return f"http://{request.headers.get('host', default_host)}"

    return {
        "CreateFunction": lambda parameters, _: functions.create(parameters),
        "GetFunction": lambda parameters, request: functions.get(parameters, base_url(request)),
        "GetFunctionConfiguration": lambda parameters, _: functions.get_configuration(parameters),
        "UpdateFunctionCode": lambda parameters, _: functions.update_code(parameters),
        "UpdateFunctionConfiguration": lambda parameters, _: functions.update_configuration(parameters),
        "ListFunctions": lambda parameters, _: functions.list_(parameters),
        "DeleteFunction": lambda parameters, _: functions.delete(parameters),
        "PublishVersion": lambda parameters, _: functions.publish(parameters),
        "ListVersionsByFunction": lambda parameters, _: functions.list_versions(parameters),
        "CreateAlias": lambda parameters, _: aliases.create(parameters),
        "GetAlias": lambda parameters, _: aliases.get(parameters),
        "UpdateAlias": lambda parameters, _: aliases.update(parameters),
        "DeleteAlias": lambda parameters, _: aliases.delete(parameters),
        "ListAliases": lambda parameters, _: aliases.list_(parameters),
        "ListTags": lambda parameters, _: tags.list_(parameters),
        "TagResource": lambda parameters, _: tags.add(parameters),
        "UntagResource": lambda parameters, _: tags.remove(parameters),
    }
