"""Templates as texts, read to be run on this machine."""

from __future__ import annotations

from collections.abc import Mapping

from sam.local.model import LocalTemplate
from sam.local.template import load_local

HEAD = "Transform: AWS::Serverless-2016-10-31\n"
SERVERLESS = "Type: AWS::Serverless::Function"
FIXED = "Handler: app.handler, Runtime: python3.11, CodeUri: src/"
FUNCTION = f"  Fn: {{{SERVERLESS}, Properties: {{{FIXED}}}}}\n"


def load(
    resources: str,
    rest: str = "",
    files: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
) -> LocalTemplate:
    """The template with those resources and other sections; `files` lie beside it."""

    def read(name: str) -> bytes:
        if name not in (files or {}):
            raise FileNotFoundError(2, "No such file or directory")
        return (files or {})[name].encode()

    return load_local(f"{HEAD}{rest}Resources:\n{resources}", "template.yaml", parameters or {}, read)
