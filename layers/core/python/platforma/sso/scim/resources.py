"""
Resources as JSON: what a directory sends brought into one form, and what it is shown cut to what it asked for.

The canonical form has attributes under their schema's names, booleans as booleans, multi-valued attributes as lists, nothing
that is null or empty, extensions under their URI, and neither `schemas`, `id`, `meta` nor anything else that is read-only.
What is not known is dropped. So directories may write `"False"`, `"emails": {...}` and `USERNAME`.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cmp_to_key
from typing import Any

from platforma.kernel.clock import parse_rfc3339
from platforma.sso.scim.errors import InvalidPath, InvalidValue
from platforma.sso.scim.paths import Place, find, listed
from platforma.sso.scim.schema import Attribute, ResourceKind

_ALWAYS = frozenset({"schemas", "id"})
MAX_TEXT = 4096


def canonical(sent: Mapping[str, Any], of: ResourceKind) -> dict[str, Any]:
    """
    The document that *sent* is.

    Raises:
        InvalidValue: a value is of another kind than its attribute's.
    """
    document: dict[str, Any] = {}
    for name, value in sent.items():
        place = find(name, of)
        if place is not None:
            put(document, place, value, of)
    return document


def put(document: dict[str, Any], place: Place, value: Any, of: ResourceKind) -> None:
    """
    Have the value stand at a place that is an attribute, or an extension whole; what is read-only stays as it is.

    Raises:
        InvalidValue: it is of another kind than the attribute's.
    """
    if place.attribute is None:
        assert place.extension is not None
        if value is not None and not isinstance(value, Mapping):
            raise InvalidValue(f"{place.extension} is an object.")
        inner = {f"{place.extension}:{name}": each for name, each in (value or {}).items()}
        document.pop(place.extension, None)
        for name, each in inner.items():
            extended = find(name, of)
            if extended is not None and extended.attribute is not None:
                put(document, extended, each, of)
        return
    if place.attribute.read_only or place.attribute.name in ("schemas", "id", "meta"):
        return
    held = document if place.extension is None else document.setdefault(place.extension, {})
    shaped = shape(value, place.attribute)
    if shaped is None:
        held.pop(place.attribute.name, None)
    else:
        held[place.attribute.name] = shaped
    if place.extension is not None and not held:
        del document[place.extension]


def shape(value: Any, attribute: Attribute) -> Any:
    """
    The value as its attribute has it; None where it is empty, which is to be unassigned (RFC 7643 section 2.5).

    Raises:
        InvalidValue: it is of another kind.
    """
    if attribute.many:
        shaped = [shape_one(each, attribute) for each in listed(value)]
        return _one_primary([each for each in shaped if each is not None]) or None
    if isinstance(value, list):
        if len(value) > 1:
            raise InvalidValue(f"{attribute.name} has one value.")
        value = value[0] if value else None
    return shape_one(value, attribute)


def shape_one(value: Any, attribute: Attribute) -> Any:
    """
    As `shape`, one value of an attribute that may have several.

    Raises:
        InvalidValue: it is of another kind.
    """
    if value is None or value in ("", {}):
        return None
    if attribute.type == "complex":
        return _complex(value, attribute)
    if attribute.type == "boolean":
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if not isinstance(value, bool):
            raise InvalidValue(f"{attribute.name} is true or false.")
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > MAX_TEXT or "\x00" in value:
        raise InvalidValue(f"{attribute.name} is a text of at most {MAX_TEXT} characters.")
    return value


def _complex(value: Any, attribute: Attribute) -> dict[str, Any] | None:
    if isinstance(value, str) and "value" in attribute.parts:
        value = {"value": value}
    if not isinstance(value, Mapping):
        raise InvalidValue(f"{attribute.name} is an object.")
    parts = {name.lower(): part for name, part in value.items()}
    made = {part.name: shape(parts.get(name), part) for name, part in attribute.parts.items()}
    return {name: part for name, part in made.items() if part is not None} or None


def projected(
    resource: Mapping[str, Any], of: ResourceKind, *, only: Sequence[str] | None, but: Sequence[str] | None
) -> dict[str, Any]:
    """
    What is shown of a resource: *only* these attributes, or all *but* these; always `schemas` and `id` (RFC 7644 section
    3.9). Names that there are not choose nothing.
    """
    if only:
        shown = {name: value for name, value in resource.items() if name in _ALWAYS}
        for place in _places(only, of):
            _copy(resource, shown, place)
        return shown
    shown = dict(resource)
    for place in _places(but or (), of):
        _drop(shown, place)
    return shown


def ordered(resources: Iterable[dict[str, Any]], by: str, of: ResourceKind, *, descending: bool) -> list[dict[str, Any]]:
    """
    Resources in the order of an attribute's first or primary value; those without one come last, or first when descending
    (RFC 7644 section 3.4.2.3).

    Raises:
        InvalidPath: nothing is called *by*.
    """
    place = find(by, of)
    if place is None or place.attribute is None:
        raise InvalidPath(f"No attribute is called {by[:100]}.")
    if place.last.type == "complex" and "value" in place.last.parts:
        place = Place(place.attribute, place.extension, place.last.parts["value"])
    keyed = [(_key(place, resource), index, resource) for index, resource in enumerate(resources)]
    keyed.sort(key=cmp_to_key(_compared))
    if descending:
        keyed.reverse()
    return [resource for _, _, resource in keyed]


def _compared(one: tuple[Any, int, Any], other: tuple[Any, int, Any]) -> int:
    if one[0] is None or other[0] is None or one[0] == other[0]:
        return (one[0] is None) - (other[0] is None) or one[1] - other[1]
    return -1 if one[0] < other[0] else 1


def _key(place: Place, resource: Mapping[str, Any]) -> Any:
    held = place.holder(resource).get(place.attribute.name) if place.attribute is not None else None
    if isinstance(held, list):
        held = next((each for each in held if isinstance(each, Mapping) and each.get("primary")), held[0] if held else None)
    if place.part is not None:
        held = held.get(place.part.name) if isinstance(held, Mapping) else None
    if place.last.type == "dateTime" and isinstance(held, str):
        return parse_rfc3339(held)
    if isinstance(held, str) and not place.last.exact:
        return held.casefold()
    return None if isinstance(held, (Mapping, list)) else held


def _places(names: Sequence[str], of: ResourceKind) -> list[Place]:
    return [place for name in names if (place := find(name.strip(), of)) is not None]


def _copy(resource: Mapping[str, Any], shown: dict[str, Any], place: Place) -> None:
    held = place.holder(resource)
    if place.attribute is None:
        if held:
            shown[str(place.extension)] = dict(held)
        return
    name = place.attribute.name
    if name not in held:
        return
    into = shown if place.extension is None else shown.setdefault(place.extension, {})
    if place.part is None:
        into[name] = held[name]
        return
    if isinstance(held[name], list):
        earlier = into.get(name) or [{} for _ in held[name]]
        into[name] = [{**kept, **_only_part(each, place.part.name)} for kept, each in zip(earlier, held[name], strict=True)]
    else:
        into[name] = {**into.get(name, {}), **_only_part(held[name], place.part.name)}


def _only_part(value: Any, name: str) -> dict[str, Any]:
    return {name: value[name]} if isinstance(value, Mapping) and name in value else {}


def _drop(shown: dict[str, Any], place: Place) -> None:
    if place.attribute is None:
        shown.pop(str(place.extension), None)
        return
    name = place.attribute.name
    if place.extension is not None:
        held = dict(shown.get(place.extension) or {})
        shown[place.extension] = held
    else:
        held = shown
    if name not in held or name in _ALWAYS:
        return
    if place.part is None:
        del held[name]
        return
    part = place.part.name
    if isinstance(held[name], list):
        held[name] = [{key: one for key, one in each.items() if key != part} for each in held[name]]
    else:
        held[name] = {key: one for key, one in held[name].items() if key != part}


def _one_primary(values: list[Any]) -> list[Any]:
    """
    Of the values of an attribute at most one is the primary one (RFC 7643 section 2.4).

    Raises:
        InvalidValue: more say so.
    """
    if sum(isinstance(each, Mapping) and each.get("primary") is True for each in values) > 1:
        raise InvalidValue("Only one value is the primary one.")
    return values
