"""What the fields of tenants, users and groups may hold; each faulty one is named by its JSON pointer."""

import json
import math
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from platforma.identity.model import MAX_ROLES, sorted_roles
from platforma.kernel.errors import FieldError, Unprocessable

MAX_NAME = 200
MAX_DESCRIPTION = 1000
MAX_ATTRIBUTES = 50
MAX_ATTRIBUTES_BYTES = 6 * 1024


def _refused(pointer: str, detail: str) -> Unprocessable:
    return Unprocessable(errors=[FieldError(pointer, detail)])


def _is_text(value: object, *, longest: int) -> bool:
    if not isinstance(value, str) or len(value) > longest:
        return False
    return not any(unicodedata.category(character) in {"Cc", "Cs"} for character in value)


def parse_name(value: object, *, pointer: str = "/name") -> str:
    """
    A name that can be shown: NFC, no control characters, not blank.

    Raises:
        Unprocessable: it is not one.
    """
    if (
        isinstance(value, str)
        and _is_text(value, longest=MAX_NAME)
        and (name := unicodedata.normalize("NFC", value.strip()))
    ):
        return name
    raise _refused(pointer, f"Must be 1 to {MAX_NAME} characters, without control characters.")


def parse_description(value: object, *, pointer: str = "/description") -> str:
    """
    A description, perhaps empty.

    Raises:
        Unprocessable: it is not one.
    """
    if isinstance(value, str) and _is_text(value.replace("\n", " "), longest=MAX_DESCRIPTION):
        return value
    raise _refused(pointer, f"Must be at most {MAX_DESCRIPTION} characters, without control characters.")


def parse_roles(value: object, *, known_roles: frozenset[str], pointer: str = "/roles") -> tuple[str, ...]:
    """
    Roles that exist, sorted, each once.

    Raises:
        Unprocessable: one does not, or there are too many.
    """
    if isinstance(value, str | bytes) or not isinstance(value, Sequence) or len(value) > MAX_ROLES:
        raise _refused(pointer, f"Must be a list of at most {MAX_ROLES} role names.")
    require_roles(value, known_roles=known_roles, pointer=pointer)
    return sorted_roles(value)


def require_roles(roles: Sequence[object], *, known_roles: frozenset[str], pointer: str = "/roles") -> None:
    """
    Require that all *roles* exist.

    Raises:
        Unprocessable: one does not.
    """
    unknown = [
        FieldError(f"{pointer}/{index}", "There is no such role.")
        for index, role in enumerate(roles)
        if not isinstance(role, str) or role not in known_roles
    ]
    if unknown:
        raise Unprocessable(errors=unknown)


def parse_attributes(value: object, *, pointer: str = "/attributes") -> dict[str, Any]:
    """
    Attributes: names to scalars or lists of scalars, as conditions on a principal compare them.

    Raises:
        Unprocessable: something else, or too much of it.
    """
    if not isinstance(value, Mapping) or len(value) > MAX_ATTRIBUTES:
        raise _refused(pointer, f"Must be an object of at most {MAX_ATTRIBUTES} attributes.")
    for name, content in value.items():
        at = f"{pointer}/{_escaped(name)}"
        if not name or not _is_text(name, longest=100):
            raise _refused(at, "A name has 1 to 100 characters, without control characters.")
        for scalar in content if isinstance(content, list) else [content]:
            if not _is_scalar(scalar):
                raise _refused(at, "Must be a string, a number, a boolean, or a list of these.")
    if len(json.dumps(value, ensure_ascii=False).encode()) > MAX_ATTRIBUTES_BYTES:
        raise _refused(pointer, f"Must be at most {MAX_ATTRIBUTES_BYTES} bytes of JSON.")
    return dict(value)


def merged_attributes(current: Mapping[str, Any], patch: object, *, pointer: str = "/attributes") -> dict[str, Any]:
    """
    *current* after *patch*: a null takes an attribute away, anything else sets it (RFC 7396, one level deep).

    Raises:
        Unprocessable: *patch* is no object, or the result is not valid.
    """
    if not isinstance(patch, Mapping):
        raise _refused(pointer, "Must be an object.")
    return parse_attributes(
        {name: value for name, value in {**current, **patch}.items() if value is not None}, pointer=pointer
    )


def _is_scalar(value: object) -> bool:
    if isinstance(value, str):
        return _is_text(value.replace("\n", " "), longest=MAX_ATTRIBUTES_BYTES)
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and abs(value) < 2**53


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1").encode(errors="replace").decode()
