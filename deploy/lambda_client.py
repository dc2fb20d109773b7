"""The Lambda service of one target, through boto3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from deploy import aws
from deploy.ports import AliasState, AlreadyExists, FunctionSettings, FunctionState, InvokeResult, RevisionMismatch
from deploy.targets import Target
from deploy.traffic.weights import Routing, additional_weights, from_weights


class LambdaClient:
    """LambdaApi over HTTP. Clients are made at the first call and kept; safe to use from many threads after that."""

    def __init__(self, target: Target) -> None:
        self._target = target

    @cached_property
    def _session(self) -> Any:
        return aws.session(self._target)

    @cached_property
    def _api(self) -> Any:
        return aws.client(self._target, self._session, "lambda")

    @cached_property
    def _invoker(self) -> Any:
        return aws.client(self._target, self._session, "lambda", once=True)

    def function(self, name: str, version: str | None = None) -> FunctionState | None:
        """Source: GetFunctionConfiguration."""
        qualifier = {"Qualifier": version} if version else {}
        with aws.calling(self._target, "GetFunctionConfiguration", name):
            try:
                return _function(self._api.get_function_configuration(FunctionName=name, **qualifier))
            except self._api.exceptions.ResourceNotFoundException:
                return None

    def versions(self, name: str) -> tuple[FunctionState, ...]:
        """Source: ListVersionsByFunction."""
        with aws.calling(self._target, "ListVersionsByFunction", name):
            pages = self._api.get_paginator("list_versions_by_function").paginate(FunctionName=name)
            found = [_function(item) for page in pages for item in page["Versions"] if item["Version"] != "$LATEST"]
        return tuple(sorted(found, key=lambda version: int(version.version)))

    def alias(self, name: str, alias: str) -> AliasState | None:
        """Source: GetAlias."""
        with aws.calling(self._target, "GetAlias", f"{name}:{alias}"):
            try:
                return _alias(self._api.get_alias(FunctionName=name, Name=alias))
            except self._api.exceptions.ResourceNotFoundException:
                return None

    def create_function(self, name: str, settings: FunctionSettings, code: bytes) -> None:
        """Source: CreateFunction."""
        with aws.calling(self._target, "CreateFunction", name, {"ResourceConflictException": AlreadyExists}):
            self._api.create_function(
                FunctionName=name,
                Code={"ZipFile": code},
                PackageType="Zip",
                Architectures=list(settings.architectures),
                **_configuration(settings),
            )

    def update_configuration(self, name: str, settings: FunctionSettings) -> None:
        """Source: UpdateFunctionConfiguration (the environment is replaced as a whole)."""
        with aws.calling(self._target, "UpdateFunctionConfiguration", name):
            self._api.update_function_configuration(FunctionName=name, **_configuration(settings))

    def update_code(self, name: str, code: bytes, architectures: Sequence[str]) -> None:
        """Source: UpdateFunctionCode."""
        with aws.calling(self._target, "UpdateFunctionCode", name):
            self._api.update_function_code(FunctionName=name, ZipFile=code, Architectures=list(architectures))

    def publish_version(self, name: str, code_sha256: str) -> str:
        """Source: PublishVersion (answers the last version when nothing changed since)."""
        with aws.calling(self._target, "PublishVersion", name):
            return str(self._api.publish_version(FunctionName=name, CodeSha256=code_sha256)["Version"])

    def create_alias(self, name: str, alias: str, version: str) -> AliasState:
        """Source: CreateAlias."""
        with aws.calling(self._target, "CreateAlias", f"{name}:{alias}", {"ResourceConflictException": AlreadyExists}):
            return _alias(self._api.create_alias(FunctionName=name, Name=alias, FunctionVersion=version))

    def update_alias(self, name: str, alias: str, routing: Routing, revision_id: str) -> AliasState:
        """Source: UpdateAlias; the empty map clears the additional version, leaving it out would keep it."""
        special: aws.ErrorByCode = {"PreconditionFailedException": RevisionMismatch}
        with aws.calling(self._target, "UpdateAlias", f"{name}:{alias}", special):
            return _alias(
                self._api.update_alias(
                    FunctionName=name,
                    Name=alias,
                    FunctionVersion=routing.version,
                    RoutingConfig={"AdditionalVersionWeights": additional_weights(routing)},
                    RevisionId=revision_id,
                )
            )

    def invoke(self, name: str, payload: bytes) -> InvokeResult:
        """Source: Invoke, RequestResponse."""
        with aws.calling(self._target, "Invoke", name):
            answer = self._invoker.invoke(FunctionName=name, Payload=payload)
            return InvokeResult(
                payload=answer["Payload"].read(),
                function_error=answer.get("FunctionError", ""),
                executed_version=answer.get("ExecutedVersion", ""),
            )


def _configuration(settings: FunctionSettings) -> dict[str, Any]:
    values: dict[str, Any] = {
        "Handler": settings.handler,
        "Runtime": settings.runtime,
        "MemorySize": settings.memory_mb,
        "Timeout": settings.timeout_s,
        "Description": settings.description,
        "Environment": {"Variables": dict(settings.environment)},
    }
    return values | ({"Role": settings.role} if settings.role else {})


def _function(answer: Mapping[str, Any]) -> FunctionState:
    settings = FunctionSettings(
        handler=answer.get("Handler", ""),
        runtime=answer.get("Runtime", ""),
        memory_mb=answer.get("MemorySize", 128),
        timeout_s=answer.get("Timeout", 3),
        environment=dict(answer.get("Environment", {}).get("Variables", {})),
        description=answer.get("Description", ""),
        architectures=tuple(answer.get("Architectures", ("x86_64",))),
        role=answer.get("Role", ""),
    )
    return FunctionState(
        name=answer["FunctionName"],
        version=str(answer["Version"]),
        settings=settings,
        code_sha256=answer.get("CodeSha256", ""),
        state=answer.get("State", "Active"),
        state_reason=answer.get("StateReason", ""),
        last_update_status=answer.get("LastUpdateStatus", "Successful"),
        last_update_reason=answer.get("LastUpdateStatusReason", ""),
    )


def _alias(answer: Mapping[str, Any]) -> AliasState:
    weights = (answer.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return AliasState(answer["Name"], from_weights(answer["FunctionVersion"], weights), answer.get("RevisionId", ""))
