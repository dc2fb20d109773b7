"""Small operations on functions: recursion, runtime management, and code signing, which there is none of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.api.errors import invalid
from runtime.catalog.documents import RecursionConfig
from runtime.catalog.store import Catalog
from runtime.control.lookup import existing, existing_function
from runtime.names import LATEST, Scope

Parameters = Mapping[str, Any]


class Extras:
    """Get and PutFunctionRecursionConfig, Get and PutRuntimeManagementConfig, the reading half of code signing."""

    def __init__(self, catalog: Catalog, scope: Scope) -> None:
        self._catalog = catalog
        self._scope = scope

    def put_recursion(self, parameters: Parameters) -> dict[str, Any]:
        """What happens to loops from now on."""
        name = existing_function(self._catalog, self._scope, parameters)
        self._catalog.put(RecursionConfig(name, parameters["RecursiveLoop"]))
        return {"RecursiveLoop": parameters["RecursiveLoop"]}

    def get_recursion(self, parameters: Parameters) -> dict[str, Any]:
        """What happens to loops; Terminate unless somebody said otherwise."""
        name = existing_function(self._catalog, self._scope, parameters)
        found = self._catalog.find(RecursionConfig, name)
        return {"RecursiveLoop": "Terminate" if found is None else found.recursive_loop}

    def get_runtime_management(self, parameters: Parameters) -> dict[str, Any]:
        """Auto: a function runs on what is installed on this machine, and follows when that is replaced."""
        reference = existing(self._catalog, self._scope, parameters)
        arn = self._scope.arn(reference.name, reference.qualifier or LATEST)
        return {"UpdateRuntimeOn": "Auto", "FunctionArn": arn}

    def put_runtime_management(self, parameters: Parameters) -> dict[str, Any]:
        """As `get_runtime_management`.

        Raises:
            ApiError: anything but Auto was asked for.
        """
        if parameters["UpdateRuntimeOn"] != "Auto":
            raise invalid(
                f"UpdateRuntimeOn {parameters['UpdateRuntimeOn']} is not supported by this local runtime: "
                "there is one version of each runtime, the one that is installed"
            )
        return self.get_runtime_management(parameters)

    def get_code_signing(self, parameters: Parameters) -> dict[str, Any]:
        """The function, and no configuration: none can be made here."""
        return {"FunctionName": existing_function(self._catalog, self._scope, parameters)}

    def list_code_signing(self, _: Parameters) -> dict[str, Any]:
        """No configurations: none can be made here."""
        return {"CodeSigningConfigs": []}
