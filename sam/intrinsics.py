"""References in a template: Ref of parameters and functions, Fn::Sub, Fn::Join, Fn::Select, Fn::FindInMap."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from core.document import Path, suggest
from sam.mistakes import Mistakes

_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]*)\}")
_MOST_NESTING = 20


class _Absent:
    """The value of AWS::NoValue, and of what cannot be resolved: as if the property were not there."""


ABSENT = _Absent()


class Resolver:
    """Resolves the intrinsic functions of one template; what it cannot resolve becomes a mistake and ABSENT.

    `parameters` wins over a parameter's Default; it also gives pseudo parameters (`AWS::Region`). A function's own
    name is what Ref of it gives. Source: CloudFormation intrinsic function reference.
    """

    def __init__(self, data: Mapping[str, Any], parameters: Mapping[str, str], mistakes: Mistakes) -> None:
        self._declared = _mapping(data.get("Parameters"))
        self._mappings = _mapping(data.get("Mappings"))
        self._resources = _mapping(data.get("Resources"))
        self._given = parameters
        self._mistakes = mistakes
        self._depth = 0

    def resolve(self, value: Any, path: Path) -> Any:
        """`value` with every intrinsic function replaced; mappings lose entries that are ABSENT, lists items."""
        if isinstance(value, Mapping):
            if len(value) == 1:
                name = next(iter(value))
                if name == "Ref" or name == "Condition" or name.startswith("Fn::"):
                    return self._call(name, value[name], path)
            items = {key: self.resolve(item, (*path, key)) for key, item in value.items()}
            return {key: item for key, item in items.items() if item is not ABSENT}
        if isinstance(value, list):
            listed = [self.resolve(item, (*path, index)) for index, item in enumerate(value)]
            return [item for item in listed if item is not ABSENT]
        return value

    def _call(self, name: str, argument: Any, path: Path) -> Any:
        functions = self._functions()
        if name not in functions:
            return self._wrong(path, f"{name} is not supported by this version of Penstock here", "write the value")
        self._depth += 1
        try:
            if self._depth > _MOST_NESTING:
                return self._wrong(path, "references are nested too deeply, or in a circle")
            return functions[name](argument, path)
        finally:
            self._depth -= 1

    def _functions(self) -> Mapping[str, Callable[[Any, Path], Any]]:
        return {
            "Ref": self._ref,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::FindInMap": self._find_in_map,
        }

    def _wrong(self, path: Path, what: str, hint: str = "") -> Any:
        self._mistakes.add(path, what, hint)
        return ABSENT

    def _ref(self, name: Any, path: Path) -> Any:
        if not isinstance(name, str):
            return self._wrong(path, "Ref needs a name")
        if name == "AWS::NoValue":
            return ABSENT
        if name in self._given:
            return self._given[name]
        if name in self._declared:
            return self._default(name, path)
        if name in self._resources:
            return self._resource(name, path)
        if name.startswith("AWS::"):
            return self._wrong(path, f"the value of {name} is not known here", "use a parameter with a Default")
        hint = suggest(name, [*self._declared, *self._resources])
        return self._wrong(path, f"there is no parameter or resource {name!r}", hint)

    def _default(self, name: str, path: Path) -> Any:
        parameter = _mapping(self._declared[name])
        if str(parameter.get("Type", "")).startswith("AWS::SSM::"):
            return self._wrong(path, f"parameter {name!r} is read from SSM, which is not supported here")
        if "Default" not in parameter:
            return self._wrong(path, f"the value of parameter {name!r} is not known", "give it a Default")
        value = parameter["Default"]
        if parameter.get("Type") in ("CommaDelimitedList", "List<Number>") and isinstance(value, str):
            return [item.strip() for item in value.split(",")]
        return value

    def _resource(self, name: str, path: Path) -> Any:
        """Ref of a function is its name; the physical names of other resources are not ours to know."""
        resource = _mapping(self._resources[name])
        if resource.get("Type") in ("AWS::Serverless::Function", "AWS::Lambda::Function"):
            given = _mapping(resource.get("Properties")).get("FunctionName", name)
            return self.resolve(given, ("Resources", name, "Properties", "FunctionName"))
        what = f"{name!r} is a resource that Penstock does not create, so its name is not known"
        return self._wrong(path, what, "pass the name by a parameter with a Default")

    def _sub(self, argument: Any, path: Path) -> Any:
        text, local = argument, {}
        if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], Mapping):
            text, local = argument[0], self.resolve(argument[1], path)
        if not isinstance(text, str):
            return self._wrong(path, "Fn::Sub needs a text, or a list of a text and a mapping")
        parts: list[str] = []
        end = 0
        for match in _PLACEHOLDER.finditer(text):
            value = self._placeholder(match, local, path)
            if value is ABSENT:
                return ABSENT
            parts += [text[end : match.start()], value]
            end = match.end()
        return "".join([*parts, text[end:]])

    def _placeholder(self, match: re.Match[str], local: Mapping[str, Any], path: Path) -> Any:
        literal, name = match.group(1), match.group(2).strip()
        if literal:
            return "${" + match.group(2) + "}"
        if name in local:
            return text_of(local[name])
        is_attribute = "." in name and not name.startswith("AWS::")
        value = self._attribute(name, path) if is_attribute else self._ref(name, path)
        return value if value is ABSENT else text_of(value)

    def _attribute(self, name: str, path: Path) -> Any:
        """The value of `Resource.Attribute`."""
        return self._wrong(path, f"the attribute {name} is not known here", "write the value itself")

    def _join(self, argument: Any, path: Path) -> Any:
        if not (isinstance(argument, list) and len(argument) == 2 and isinstance(argument[0], str)):
            return self._wrong(path, "Fn::Join needs a separator and a list")
        items = self.resolve(argument[1], path)
        if items is ABSENT:
            return ABSENT
        if not isinstance(items, list):
            return self._wrong(path, "Fn::Join needs a separator and a list")
        return argument[0].join(text_of(item) for item in items)

    def _select(self, argument: Any, path: Path) -> Any:
        if isinstance(argument, list) and len(argument) == 2:
            items = self.resolve(argument[1], path)
            index = str(argument[0])
            if isinstance(items, list) and index.isdecimal() and int(index) < len(items):
                return items[int(index)]
        return self._wrong(path, "Fn::Select needs an index and a list that has it")

    def _find_in_map(self, argument: Any, path: Path) -> Any:
        keys = self.resolve(argument, path)
        if not isinstance(keys, list) or len(keys) != 3:
            return self._wrong(path, "Fn::FindInMap needs a map and two keys")
        found: Any = self._mappings
        for key in keys:
            if not isinstance(found, Mapping) or text_of(key) not in found:
                return self._wrong(path, f"Mappings has no {'.'.join(text_of(each) for each in keys)}")
            found = found[text_of(key)]
        return found


def text_of(value: Any) -> str:
    """A scalar as CloudFormation writes it into text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
