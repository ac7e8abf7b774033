"""
PATCH (RFC 7644 section 3.5.2): a canonical document, and operations on it, give another. A pure function.

What directories write otherwise than the RFC is read as they mean it: operations in any case; a `remove` of a multi-valued
attribute with a value takes that value alone (Entra ID: members); an operation without a path whose keys are paths
(`"name.givenName"`, `emails[type eq "work"].value`), or which repeats what is read-only beside what it changes (Okta: `id`).
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from platforma.sso.scim.errors import InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue, NoTarget, NotMutable, TooMany
from platforma.sso.scim.filters import All, Compare, Filter, fits, parse_filter
from platforma.sso.scim.paths import Place, find, listed
from platforma.sso.scim.resources import put, shape, shape_one
from platforma.sso.scim.schema import Attribute, ResourceKind

MAX_OPERATIONS = 1000
MAX_PATH = 2048
MAX_EXAMINED = 2_000_000
"""What the filters of one request may cost: the characters of each, times the values that it is held to."""
_READ_ONLY = ("id", "meta", "schemas")
_UNKEPT = ("password",)
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def operations_of(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """
    The operations of a request's body.

    Raises:
        InvalidSyntax: it is no PatchOp.
    """
    body = {name.lower(): value for name, value in body.items()}
    operations = body.get("operations")
    if PATCH_OP not in listed(body.get("schemas")):
        raise InvalidSyntax(f"The schema of a PATCH is {PATCH_OP}.")
    if not isinstance(operations, list) or not operations or not all(isinstance(each, Mapping) for each in operations):
        raise InvalidSyntax("Operations is a list of objects.")
    if len(operations) > MAX_OPERATIONS:
        raise InvalidSyntax(f"A PATCH has at most {MAX_OPERATIONS} operations.")
    return operations


def patched(document: Mapping[str, Any], operations: Sequence[Mapping[str, Any]], of: ResourceKind) -> dict[str, Any]:
    """
    The document after all the operations, in their order.

    Raises:
        InvalidSyntax, InvalidPath, InvalidValue, NoTarget, NotMutable, InvalidFilter: as RFC 7644 table 9 has them.
        TooMany: its filters would look at more values than a request may.
    """
    after, budget = deepcopy(dict(document)), _Budget()
    for operation in operations:
        given = {name.lower(): value for name, value in operation.items()}
        op, path = given.get("op"), given.get("path")
        name = op.lower() if isinstance(op, str) else ""
        if name not in ("add", "replace", "remove"):
            raise InvalidSyntax("An operation is add, replace or remove.")
        if path is None or path == "":
            _without_path(after, name, given.get("value"), of, budget)
        elif isinstance(path, str) and len(path) <= MAX_PATH:
            _at(after, name, path, given, of, budget)
        else:
            raise InvalidPath
    return after


@dataclass(slots=True)
class _Budget:
    left: int = MAX_EXAMINED

    def spend(self, cost: int) -> None:
        self.left -= cost
        if self.left < 0:
            raise TooMany


def _without_path(after: dict[str, Any], op: str, value: Any, of: ResourceKind, budget: _Budget) -> None:
    if op == "remove":
        raise NoTarget("A remove needs a path.")
    if not isinstance(value, Mapping):
        raise InvalidValue("Without a path the value is an object.")
    for name, each in value.items():
        place = _known(name, of)
        if place is None or _is_read_only(place):
            continue  # what is not known is ignored, and what is read-only may be repeated
        _at(after, op, name, {"value": each}, of, budget)


def _known(text: str, of: ResourceKind) -> Place | None:
    head = text.partition("[")[0] if len(text) <= MAX_PATH else ""
    return find(head, of)


def _at(after: dict[str, Any], op: str, path: str, given: Mapping[str, Any], of: ResourceKind, budget: _Budget) -> None:
    place, tree, part = target(path, of)
    if place is None:
        return
    if _is_read_only(place):
        raise NotMutable(f"{path[:100]} is read-only.")
    if op != "remove" and "value" not in given:
        raise InvalidValue("The value is missing.")
    if tree is not None:
        assert place.attribute is not None
        budget.spend(len(path) * len(_holder(after, place).get(place.attribute.name, ())))
        _values(after, op, place, tree, part, given)
    elif op == "remove":
        _remove(after, place, given.get("value"))
    else:
        _assign(after, op, place, given["value"], of)


def target(path: str, of: ResourceKind) -> tuple[Place | None, Filter | None, Attribute | None]:
    """
    The place that a path names, with its filter and the part behind it; no place where it is one that is never kept.

    Raises:
        InvalidPath: it names none.
    """
    head, bracket, rest = path.partition("[")
    if head.lower() in _UNKEPT:
        return None, None, None
    place = find(head, of)
    if place is None:
        raise InvalidPath(f"{head[:100]} names no attribute.")
    if not bracket:
        return place, None, None
    end = rest.rfind("]")
    if end < 0 or place.attribute is None or place.part is not None or not place.attribute.many:
        raise InvalidPath
    try:
        tree = parse_filter(f"{head}[{rest[:end]}]", of).inner  # type: ignore[union-attr]  # caught below
    except (InvalidFilter, AttributeError) as error:
        raise InvalidPath(getattr(error, "detail", None)) from None
    behind = rest[end + 1 :]
    if not behind:
        return place, tree, None
    part = place.attribute.parts.get(behind[1:].lower()) if behind.startswith(".") else None
    if part is None:
        raise InvalidPath
    return place, tree, part


def _is_read_only(place: Place) -> bool:
    if place.attribute is None:
        return False
    return place.attribute.read_only or place.attribute.name in _READ_ONLY


def _holder(after: dict[str, Any], place: Place) -> dict[str, Any]:
    if place.extension is None:
        return after
    held: dict[str, Any] = after.setdefault(place.extension, {})
    return held


def _assign(after: dict[str, Any], op: str, place: Place, value: Any, of: ResourceKind) -> None:
    """An add or a replace without a filter."""
    if place.attribute is None:
        assert place.extension is not None
        if not isinstance(value, Mapping):
            raise InvalidValue(f"{place.extension} is an object.")
        put(after, place, {**after.get(place.extension, {}), **value}, of)
        return
    attribute = place.attribute
    held = _holder(after, place)
    if place.part is not None:
        _assign_part(held, place, value)
    elif attribute.many and op == "add":
        added = shape(value, attribute) or []
        _keep(held, attribute, _joined(held.get(attribute.name, []), added))
    elif attribute.type == "complex" and not attribute.many:
        one = shape(value, attribute)
        _keep(held, attribute, None if one is None else {**held.get(attribute.name, {}), **one})
    else:
        _keep(held, attribute, shape(value, attribute))
    _tidy(after, place)


def _assign_part(held: dict[str, Any], place: Place, value: Any) -> None:
    assert place.attribute is not None
    assert place.part is not None
    name, one = place.attribute.name, shape(value, place.part)
    if not place.attribute.many:
        merged = {**held.get(name, {}), place.part.name: one}
        _keep(held, place.attribute, {key: each for key, each in merged.items() if each is not None} or None)
        return
    values = [{**each, place.part.name: one} for each in held.get(name, [])]
    if not values:
        raise NoTarget
    _keep(held, place.attribute, shape(values, place.attribute))


def _values(
    after: dict[str, Any], op: str, place: Place, tree: Filter, part: Attribute | None, given: Mapping[str, Any]
) -> None:
    """An operation on those values of an attribute that a filter chooses."""
    assert place.attribute is not None
    attribute, held = place.attribute, _holder(after, place)
    values: list[Any] = held.get(attribute.name, [])
    chosen = {index for index, each in enumerate(values) if fits(tree, each)}
    if op == "remove":
        kept: list[Any] = []
        for index, each in enumerate(values):
            if index not in chosen:
                kept.append(each)
            elif part is not None and (rest := {key: one for key, one in each.items() if key != part.name}):
                kept.append(rest)
        _keep(held, attribute, kept or None)
        _tidy(after, place)
        return
    change = _change(given["value"], attribute, part)
    if not chosen:
        if op == "replace":
            raise NoTarget
        values, chosen = [*values, _described(tree)], {len(values)}
    primary = change.get("primary") is True
    made = [
        {**each, **change} if index in chosen else ({**each, "primary": False} if primary and each.get("primary") else each)
        for index, each in enumerate(values)
    ]
    _keep(held, attribute, shape(made, attribute))
    _tidy(after, place)


def _change(value: Any, attribute: Attribute, part: Attribute | None) -> dict[str, Any]:
    if part is not None:
        return {part.name: shape(value, part)}
    (one,) = [shape_one(each, attribute) for each in listed(value)] or [None]
    if not isinstance(one, dict):
        raise InvalidValue(f"A value of {attribute.name} is an object.")
    return one


def _described(tree: Filter) -> dict[str, Any]:
    """
    The value that a filter asks for, where it can only be one: `type eq "work"`.

    Raises:
        NoTarget: it asks for more than equal parts.
    """
    terms = tree.terms if isinstance(tree, All) else (tree,)
    made: dict[str, Any] = {}
    for term in terms:
        if not isinstance(term, Compare) or term.operator != "eq" or term.place.attribute is None:
            raise NoTarget
        made[term.place.attribute.name] = term.value
    return made


def _remove(after: dict[str, Any], place: Place, value: Any) -> None:
    if place.attribute is None:
        after.pop(str(place.extension), None)
        return
    attribute = place.attribute
    if attribute.required and place.part is None:
        raise NotMutable(f"{attribute.name} is required.")
    held = _holder(after, place)
    if place.part is not None:
        parts = [
            {key: one for key, one in each.items() if key != place.part.name} for each in listed(held.get(attribute.name))
        ]
        left = [each for each in parts if each]
        _keep(held, attribute, (left or None) if attribute.many else (left[0] if left else None))
    elif value is not None and attribute.many:
        _keep(held, attribute, _without(held.get(attribute.name, []), shape(value, attribute) or []))
    else:
        held.pop(attribute.name, None)
    _tidy(after, place)


def _joined(values: list[Any], added: list[Any]) -> list[Any]:
    """*values* with those of *added* that are not among them; one that is among them takes on what is said of it."""
    if any(isinstance(each, Mapping) and each.get("primary") for each in added):
        values = [
            {**each, "primary": False} if isinstance(each, Mapping) and each.get("primary") else each for each in values
        ]
    joined = {_identity(each): each for each in values}
    for each in added:
        name = _identity(each)
        known = joined.get(name)
        joined[name] = {**known, **each} if isinstance(known, Mapping) and isinstance(each, Mapping) else each
    return list(joined.values())


def _without(values: list[Any], gone: list[Any]) -> list[Any]:
    """*values* without those that one of *gone* describes: by all the parts that it has."""
    if all(isinstance(each, Mapping) and each.keys() == {"value"} for each in gone):
        ids = {each["value"] for each in gone}
        return [each for each in values if each.get("value") not in ids]
    return [each for each in values if not any(_describes(one, each) for one in gone)]


def _describes(one: Any, value: Any) -> bool:
    if isinstance(one, Mapping) and isinstance(value, Mapping):
        return all(value.get(key) == part for key, part in one.items() if key not in ("primary", "display", "$ref"))
    return bool(one == value)


def _identity(value: Any) -> Any:
    """By what two values of an attribute are the same one: value and type, else all that they are."""
    if not isinstance(value, Mapping):
        return value
    if "value" in value:
        return (value["value"], str(value.get("type", "")).lower())
    return tuple(sorted((key, str(one)) for key, one in value.items()))


def _keep(held: dict[str, Any], attribute: Attribute, value: Any) -> None:
    if value is None or value == []:
        held.pop(attribute.name, None)
    else:
        held[attribute.name] = value


def _tidy(after: dict[str, Any], place: Place) -> None:
    if place.extension is not None and not after.get(place.extension):
        after.pop(place.extension, None)
