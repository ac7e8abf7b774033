"""Reads a CloudFormation template as far as the local stack needs: resources, and their values once they are deployed."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # PyYAML has no types

Json = dict[str, Any]
UNKNOWN = object()
_PLACEHOLDER = re.compile(r"\$\{([\w:]+)\}")


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """YAML with CloudFormation's short tags."""


def _intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> Json:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)


def load(path: Path) -> Json:
    """A template with every intrinsic in its long form; the loader derives from SafeLoader."""
    document = yaml.load(path.read_text(), _Loader)  # noqa: S506  a SafeLoader  # nosec B506
    if not isinstance(document, dict):
        raise TypeError(f"{path} holds no template")
    return document


@dataclass(frozen=True, slots=True)
class Deployed:
    """A template together with what its deployment made of it."""

    template: Json
    parameters: Mapping[str, str]
    physical: Mapping[str, str]
    arn: Callable[[str, str], str]  # (type, physical id) -> ARN
    exports: Mapping[str, str] = field(default_factory=dict)  # what other stacks export, by name

    def resources(self, kind: str) -> dict[str, Json]:
        """Properties by physical id of every deployed resource of one type."""
        return {
            self.physical[name]: self.value(resource.get("Properties", {}))
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == kind and name in self.physical
        }

    def value(self, node: Any) -> Any:
        """*node* with its references resolved; UNKNOWN stands where that can't be done here."""
        if isinstance(node, list):
            return [value for item in node if (value := self.value(item)) is not None]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (name, argument) = next(iter(node.items()))
            if name == "Ref" or name.startswith("Fn::"):
                return self._intrinsic(name, argument)
        return {key: value for key, item in node.items() if (value := self.value(item)) is not None}

    def _intrinsic(self, name: str, argument: Any) -> Any:
        if name == "Ref":
            return self._reference(argument)
        if name == "Fn::GetAtt" and argument[1] in {"Arn", "KeyId"} and argument[0] in self.physical:
            return self.arn(self.template["Resources"][argument[0]]["Type"], self.physical[argument[0]])
        if name == "Fn::If":
            condition, yes, no = argument
            return self.value(yes if self.holds({"Condition": condition}) else no)
        if name == "Fn::Sub" and isinstance(argument, str):
            return self._filled_in(argument)
        if name == "Fn::ImportValue" and isinstance(wanted := self.value(argument), str):
            return self.exports.get(wanted, UNKNOWN)
        return UNKNOWN

    def _filled_in(self, text: str) -> Any:
        values = {name: self._reference(name) for name in _PLACEHOLDER.findall(text)}
        if UNKNOWN in values.values():
            return UNKNOWN
        return _PLACEHOLDER.sub(lambda found: str(values[found[1]]), text)

    def _reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return None
        if name in self.parameters:
            kind = self.template["Parameters"][name].get("Type")
            return int(self.parameters[name]) if kind == "Number" else self.parameters[name]
        return self.physical.get(name, UNKNOWN)

    def holds(self, node: Any) -> bool:
        """Whether a condition is true."""
        ((name, argument),) = node.items()
        match name:
            case "Condition":
                return self.holds(self.template["Conditions"][argument])
            case "Fn::Equals":
                return str(self.value(argument[0])) == str(self.value(argument[1]))
            case "Fn::Not":
                return not self.holds(argument[0])
            case "Fn::And":
                return all(map(self.holds, argument))
            case "Fn::Or":
                return any(map(self.holds, argument))
        raise ValueError(f"{name} is no condition")
