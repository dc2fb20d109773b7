"""References resolved as far as they can be without AWS; the rest is left out with a warning. Pure.

Source: CloudFormation intrinsic function reference; which values stand in locally follows SAM CLI.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from core.document import Path
from sam.intrinsics import ABSENT, Resolver, text_of
from sam.local.names import FUNCTIONS, IMPLICIT, NAMED_BY, PSEUDO, attribute, ref
from sam.mistakes import Mistakes

_LISTS = ("CommaDelimitedList", "List<Number>")


class LocalResolver(Resolver):
    """As `Resolver`, with conditions, attributes and made-up names; what it does not know is ABSENT and a warning."""

    def __init__(self, data: Mapping[str, Any], parameters: Mapping[str, str], mistakes: Mistakes) -> None:
        super().__init__(data, {**PSEUDO, **parameters}, mistakes)
        conditions = data.get("Conditions")
        self._conditions = conditions if isinstance(conditions, Mapping) else {}
        self.region, self.account = self._given["AWS::Region"], self._given["AWS::AccountId"]

    def holds(self, condition: object) -> bool:
        """Whether the condition of that name is true; one that cannot be told counts as true."""
        if not isinstance(condition, str) or condition not in self._conditions:
            return True
        value = self.resolve(self._conditions[condition], ("Conditions", condition))
        return value is not False and value != "false"

    def kind(self, logical_id: str) -> str:
        """The type of a resource; "" when there is none of that name."""
        resource = self._resources.get(logical_id)
        if isinstance(resource, Mapping):
            return str(resource.get("Type", ""))
        return IMPLICIT.get(logical_id, "")

    def name_of(self, logical_id: str) -> str:
        """The name the resource would have: the one it is given, else its logical id."""
        resource = self._resources.get(logical_id, {})
        properties = resource.get("Properties") if isinstance(resource, Mapping) else None
        key = NAMED_BY.get(self.kind(logical_id), "")
        if isinstance(properties, Mapping) and key in properties:
            name = self.resolve(properties[key], ("Resources", logical_id, "Properties", key))
            if isinstance(name, str) and name:
                return name
        return logical_id.lower() if self.kind(logical_id) == "AWS::S3::Bucket" else logical_id

    def _functions(self) -> Mapping[str, Callable[[Any, Path], Any]]:
        return {
            **super()._functions(),
            "Fn::GetAtt": self._get_att,
            "Fn::If": self._if,
            "Fn::Equals": self._equals,
            "Fn::And": lambda items, path: all(self._truths(items, path)),
            "Fn::Or": lambda items, path: any(self._truths(items, path)),
            "Fn::Not": lambda items, path: not any(self._truths(items, path)),
            "Condition": lambda name, _: self.holds(name),
            "Fn::Split": self._split,
            "Fn::Base64": self._base64,
            "Fn::GetAZs": lambda *_: [f"{self.region}{zone}" for zone in "abc"],
            "Fn::ImportValue": lambda _, path: self._wrong(path, "Fn::ImportValue is not known on this machine"),
            "Fn::Transform": lambda value, _: {"Fn::Transform": value},
        }

    def _wrong(self, path: Path, what: str, hint: str = "") -> Any:
        self._mistakes.warn(path, what, hint)
        return ABSENT

    def _ref(self, name: Any, path: Path) -> Any:
        if name in IMPLICIT and name not in self._resources:
            return name
        value = super()._ref(name, path)
        declared = self._declared.get(name, {}) if isinstance(name, str) else {}
        if isinstance(value, str) and isinstance(declared, Mapping) and declared.get("Type") in _LISTS:
            return [item.strip() for item in value.split(",")]
        return value

    def _default(self, name: str, path: Path) -> Any:
        parameter = self._declared[name]
        if isinstance(parameter, Mapping) and str(parameter.get("Type", "")).startswith("AWS::SSM::"):
            self._mistakes.warn(path, f"parameter {name!r} is not read from SSM; its Default stands in")
            return parameter.get("Default", ABSENT)
        return super()._default(name, path)

    def _resource(self, name: str, path: Path) -> Any:  # noqa: ARG002  (the base's signature)
        return ref(self.kind(name), self.name_of(name), self.region, self.account)

    def _attribute(self, name: str, path: Path) -> Any:
        logical_id, _, wanted = name.partition(".")
        if self.kind(logical_id):
            value = attribute(self.kind(logical_id), self.name_of(logical_id), wanted, self.region, self.account)
            if value:
                return value
        return self._wrong(path, f"the attribute {name} is not known on this machine")

    def _get_att(self, argument: Any, path: Path) -> Any:
        parts = argument if isinstance(argument, list) else str(argument).split(".", 1)
        return self._attribute(".".join(text_of(part) for part in parts), path)

    def _if(self, argument: Any, path: Path) -> Any:
        if not (isinstance(argument, list) and len(argument) == 3):
            return self._wrong(path, "Fn::If needs a condition and two values")
        chosen = 1 if self.holds(argument[0]) else 2
        return self.resolve(argument[chosen], (*path, "Fn::If", chosen))

    def _equals(self, argument: Any, path: Path) -> Any:
        values = self.resolve(argument, path)
        if not (isinstance(argument, list) and isinstance(values, list) and len(argument) == 2):
            return self._wrong(path, "Fn::Equals needs two values")
        return len(values) == 2 and text_of(values[0]) == text_of(values[1])

    def _truths(self, items: Any, path: Path) -> list[bool]:
        values = self.resolve(items, path)
        return [value is True or value == "true" for value in values] if isinstance(values, list) else []

    def _split(self, argument: Any, path: Path) -> Any:
        values = self.resolve(argument, path)
        if not (isinstance(values, list) and len(values) == 2 and all(isinstance(value, str) for value in values)):
            return self._wrong(path, "Fn::Split needs a separator and a text")
        return values[1].split(values[0])

    def _base64(self, argument: Any, path: Path) -> Any:
        value = self.resolve(argument, path)
        return value if value is ABSENT else base64.b64encode(text_of(value).encode()).decode()


def is_function(kind: object) -> bool:
    """Whether a resource of this type is a Lambda function."""
    return kind in FUNCTIONS
