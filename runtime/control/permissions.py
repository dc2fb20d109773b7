"""The operations on resource-based policies of functions: one for the function, one for each version and alias."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.ids import Ids
from runtime.api.errors import ApiError, invalid
from runtime.catalog.documents import Policy
from runtime.catalog.store import Catalog
from runtime.control import statements
from runtime.control.lookup import existing
from runtime.control.states import check_revision
from runtime.names import LATEST, Reference, Scope
from runtime.policy.documents import read_policy
from runtime.policy.mistakes import BadPolicy

Parameters = Mapping[str, Any]


class Permissions:
    """AddPermission, GetPolicy, RemovePermission, and the operations on the policy as a whole."""

    def __init__(self, catalog: Catalog, scope: Scope, ids: Ids) -> None:
        self._catalog = catalog
        self._scope = scope
        self._ids = ids

    def add(self, parameters: Parameters) -> dict[str, Any]:
        """The statement that was added, as JSON."""
        reference = self._writable(parameters)
        policy = self._revised(reference, parameters)
        arn = self._scope.arn(reference.name, reference.qualifier)
        statement = statements.of_function(parameters, arn)
        self._keep(replace(policy, statements=statements.added(policy.statements, statement)))
        return {"Statement": statements.compact(statement)}

    def get(self, parameters: Parameters) -> dict[str, Any]:
        """The policy, as JSON, and its revision."""
        return self._shown(self._present(existing(self._catalog, self._scope, parameters)))

    def remove(self, parameters: Parameters) -> dict[str, Any]:
        """Nothing; the statement is gone, and with the last one the policy."""
        reference = existing(self._catalog, self._scope, parameters)
        policy = self._present(reference)
        check_revision(parameters.get("RevisionId"), policy.revision_id, "GetPolicy")
        left = statements.without(policy.statements, parameters["StatementId"])
        if left:
            self._keep(replace(policy, statements=left))
        else:
            self._catalog.remove(Policy, policy.function, policy.qualifier)
        return {}

    # the policy as a whole --------------------------------------------------------------------------------------

    def put_document(self, parameters: Parameters) -> dict[str, Any]:
        """The policy that is now the only one of that ARN."""
        reference = self._writable(_by_arn(parameters))
        written = _written(parameters["Policy"])
        policy = self._revised(reference, parameters)
        identifier = str(written.get("Id", ""))
        return self._shown(self._keep(replace(policy, statements=tuple(written["Statement"]), identifier=identifier)))

    def get_document(self, parameters: Parameters) -> dict[str, Any]:
        """As `get`, by ARN."""
        return self.get(_by_arn(parameters))

    def delete_document(self, parameters: Parameters) -> dict[str, Any]:
        """Nothing; that ARN has no policy any more."""
        policy = self._present(existing(self._catalog, self._scope, _by_arn(parameters)))
        check_revision(parameters.get("RevisionId"), policy.revision_id, "GetResourcePolicy")
        self._catalog.remove(Policy, policy.function, policy.qualifier)
        return {}

    # parts ------------------------------------------------------------------------------------------------------

    def _writable(self, parameters: Parameters) -> Reference:
        reference = existing(self._catalog, self._scope, parameters)
        if reference.qualifier == LATEST:
            raise invalid("We currently do not support adding policies for $LATEST.")
        return reference

    def _revised(self, reference: Reference, parameters: Parameters) -> Policy:
        """The policy as it is, or an empty one; the caller knew its revision, or did not ask."""
        found = self._catalog.policy(reference.name, reference.qualifier)
        policy = found or Policy(reference.name, reference.qualifier or "", (), "")
        check_revision(parameters.get("RevisionId"), policy.revision_id, "GetPolicy")
        return policy

    def _present(self, reference: Reference) -> Policy:
        policy = self._catalog.policy(reference.name, reference.qualifier)
        if policy is None:
            raise ApiError("ResourceNotFoundException", "The resource you requested does not exist.")
        return policy

    def _keep(self, policy: Policy) -> Policy:
        kept = replace(policy, revision_id=self._ids.uuid())
        self._catalog.put(kept)
        return kept

    def _shown(self, policy: Policy) -> dict[str, Any]:
        shown = statements.document(policy.statements, policy.identifier)
        return {"Policy": shown, "RevisionId": policy.revision_id}


def _by_arn(parameters: Parameters) -> dict[str, Any]:
    return {"FunctionName": parameters["ResourceArn"]}


def _written(text: str) -> dict[str, Any]:
    """The policy document in `text`, its statements in a list.

    Raises:
        ApiError: it is none, of another version than 2012-10-17, or has a statement without a principal or a resource.
    """
    try:
        read_policy(text)
    except BadPolicy as error:
        raise invalid(f"The provided policy is not valid: {error}") from None
    document: dict[str, Any] = json.loads(text)
    if document.get("Version") != statements.VERSION:
        raise invalid(f"The provided policy is not valid: its Version must be {statements.VERSION}")
    given = document.get("Statement") or []
    listed = [given] if isinstance(given, dict) else given
    if not listed or any("Principal" not in each or "Resource" not in each for each in listed):
        raise invalid("The provided policy is not valid: it needs statements, each with a Principal and a Resource")
    return {**document, "Statement": listed}
