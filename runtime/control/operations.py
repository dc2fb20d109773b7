"""Which method answers which operation of the Lambda API; what is not here is answered with 501."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from runtime.control.plane import Plane
from runtime.dispatch import Operation
from runtime.http import Request

Answer = Mapping[str, Any] | Awaitable[Mapping[str, Any]]


def table(plane: Plane, default_host: str) -> Mapping[str, Operation]:
    """Operation name to what answers it. `default_host` is used when a request names no host."""

    def base_url(request: Request) -> str:
        return f"http://{request.headers.get('host', default_host)}"

    def located(act: Callable[[dict[str, Any], str], Answer]) -> Operation:
        """An operation whose answer has URLs of this server in it."""
        return lambda parameters, request: act(parameters, base_url(request))

    layers = plane.layers
    return {
        **{name: _plain(act) for name, act in _by_parameters(plane).items()},
        "GetFunction": located(plane.functions.get),
        "PublishLayerVersion": located(layers.publish),
        "GetLayerVersion": located(layers.get),
        "GetLayerVersionByArn": located(layers.get_by_arn),
    }


def _plain(act: Callable[[dict[str, Any]], Answer]) -> Operation:
    return lambda parameters, _: act(parameters)


def _by_parameters(plane: Plane) -> Mapping[str, Callable[[dict[str, Any]], Answer]]:
    """The operations whose parameters say everything."""
    return {**_on_functions(plane), **_on_what_is_attached(plane)}


def _on_functions(plane: Plane) -> Mapping[str, Callable[[dict[str, Any]], Answer]]:
    return {
        "CreateFunction": plane.functions.create,
        "GetFunctionConfiguration": plane.functions.get_configuration,
        "UpdateFunctionCode": plane.functions.update_code,
        "UpdateFunctionConfiguration": plane.functions.update_configuration,
        "ListFunctions": plane.functions.list_,
        "DeleteFunction": plane.functions.delete,
        "PublishVersion": plane.versions.publish,
        "ListVersionsByFunction": plane.versions.list_,
        "CreateAlias": plane.aliases.create,
        "GetAlias": plane.aliases.get,
        "UpdateAlias": plane.aliases.update,
        "DeleteAlias": plane.aliases.delete,
        "ListAliases": plane.aliases.list_,
        "ListTags": plane.tags.list_,
        "TagResource": plane.tags.add,
        "UntagResource": plane.tags.remove,
        "DeleteLayerVersion": plane.layers.delete,
        "ListLayerVersions": plane.layers.list_versions,
        "ListLayers": plane.layers.list_,
        "AddLayerVersionPermission": plane.layers.add_permission,
        "GetLayerVersionPolicy": plane.layers.get_policy,
        "RemoveLayerVersionPermission": plane.layers.remove_permission,
    }


def _on_what_is_attached(plane: Plane) -> Mapping[str, Callable[[dict[str, Any]], Answer]]:
    return {
        "AddPermission": plane.permissions.add,
        "GetPolicy": plane.permissions.get,
        "RemovePermission": plane.permissions.remove,
        "PutResourcePolicy": plane.permissions.put_document,
        "GetResourcePolicy": plane.permissions.get_document,
        "DeleteResourcePolicy": plane.permissions.delete_document,
        "PutFunctionConcurrency": plane.concurrency.put,
        "GetFunctionConcurrency": plane.concurrency.get,
        "DeleteFunctionConcurrency": plane.concurrency.delete,
        "PutProvisionedConcurrencyConfig": plane.provisioned.put,
        "GetProvisionedConcurrencyConfig": plane.provisioned.get,
        "DeleteProvisionedConcurrencyConfig": plane.provisioned.delete,
        "ListProvisionedConcurrencyConfigs": plane.provisioned.list_,
        "GetAccountSettings": plane.concurrency.account_settings,
        "PutFunctionEventInvokeConfig": plane.event_configs.put,
        "UpdateFunctionEventInvokeConfig": plane.event_configs.update,
        "GetFunctionEventInvokeConfig": plane.event_configs.get,
        "DeleteFunctionEventInvokeConfig": plane.event_configs.delete,
        "ListFunctionEventInvokeConfigs": plane.event_configs.list_,
        "CreateEventSourceMapping": plane.mappings.create,
        "GetEventSourceMapping": plane.mappings.get,
        "UpdateEventSourceMapping": plane.mappings.update,
        "DeleteEventSourceMapping": plane.mappings.delete,
        "ListEventSourceMappings": plane.mappings.list_,
        "CreateFunctionUrlConfig": plane.urls.create,
        "GetFunctionUrlConfig": plane.urls.get,
        "UpdateFunctionUrlConfig": plane.urls.update,
        "DeleteFunctionUrlConfig": plane.urls.delete,
        "ListFunctionUrlConfigs": plane.urls.list_,
        "PutFunctionRecursionConfig": plane.extras.put_recursion,
        "GetFunctionRecursionConfig": plane.extras.get_recursion,
        "PutRuntimeManagementConfig": plane.extras.put_runtime_management,
        "GetRuntimeManagementConfig": plane.extras.get_runtime_management,
        "GetFunctionCodeSigningConfig": plane.extras.get_code_signing,
        "ListCodeSigningConfigs": plane.extras.list_code_signing,
    }
