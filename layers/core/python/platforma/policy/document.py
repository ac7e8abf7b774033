"""
Policy documents: what is written is checked to the last field, with a JSON pointer (RFC 6901) to each fault.

What is stored was checked once, yet is read without trust: a statement that cannot be read applies to nothing, and does not
disturb its neighbours.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from platforma.kernel.errors import FieldError, Unprocessable
from platforma.kernel.ids import is_id
from platforma.policy.actions import parse_pattern
from platforma.policy.catalogue import PLATFORM_DOMAIN
from platforma.policy.conditions import check_conditions
from platforma.policy.globs import MAX_GLOB
from platforma.policy.model import Attachment, Effect

MAX_BYTES = 20 * 1024
MAX_STATEMENTS = 100
MAX_ACTIONS = 100
MAX_RESOURCES = 100
MAX_ATTACHMENTS = 50
_MAX_ERRORS = 50
_TYPE = re.compile(r"\*|[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_ROLE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_ATTACHED_IDS = {"group": "grp", "user": "usr", "api_key": "key", "oauth_client": "cli"}


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, as it was written; `conditions` are names and values."""

    effect: Effect
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ResourcePattern:
    """*type* is literal or `*`; *glob* is of the id, and of exactly `*` also matches a request without one."""

    type: str
    glob: str


def parse_resource_pattern(text: str) -> ResourcePattern | None:
    """The pattern that *text* is (`*`, or `type:glob`), or None where it is none."""
    if text == "*":
        return ResourcePattern("*", "*")
    kind, colon, glob = text.partition(":")
    if not colon or not _TYPE.fullmatch(kind) or not 1 <= len(glob) <= MAX_GLOB or "**" in glob:
        return None
    return ResourcePattern(kind, glob)


def parse_document(raw: Any, at: str = "") -> tuple[Statement, ...]:
    """
    The statements of a document as a caller wrote it: one statement, or `{"statements": [...]}`.

    Raises:
        Unprocessable: `errors` points, below *at*, to each fault (the first 50).
    """
    if errors := list(check_document(raw, at)):
        raise Unprocessable("The policy document is not valid.", errors=errors[:_MAX_ERRORS])
    return read_document(raw)


def check_document(raw: Any, at: str = "") -> Iterator[FieldError]:
    """Every fault of a document."""
    if not isinstance(raw, dict):
        yield FieldError(at, "A policy statement, or an object with statements.")
    elif len(json.dumps(raw, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")) > MAX_BYTES:
        yield FieldError(at, f"A document has at most {MAX_BYTES} bytes.")
    elif "statements" not in raw:
        yield from _check_statement(raw, at)
    else:
        yield from (FieldError(_below(at, name), "Unknown field.") for name in raw if name != "statements")
        yield from _check_list(raw["statements"], f"{at}/statements", MAX_STATEMENTS)
        for index, statement in enumerate(raw["statements"] if isinstance(raw["statements"], list) else ()):
            yield from _check_statement(statement, f"{at}/statements/{index}")


def _check_statement(raw: Any, at: str) -> Iterator[FieldError]:
    if not isinstance(raw, dict):
        yield FieldError(at, "A policy statement.")
        return
    for name in raw:
        if name not in {"effect", "actions", "resources", "conditions"}:
            yield FieldError(_below(at, name), "Unknown field.")
    if raw.get("effect") not in ("allow", "deny"):
        yield FieldError(f"{at}/effect", "allow or deny.")
    yield from _check_each(raw.get("actions"), f"{at}/actions", MAX_ACTIONS, action_fault)
    yield from _check_each(raw.get("resources"), f"{at}/resources", MAX_RESOURCES, resource_fault)
    if "conditions" in raw:
        yield from check_conditions(raw["conditions"], f"{at}/conditions")


def action_fault(text: Any) -> str | None:
    """What is wrong with an action pattern of a tenant's policy, role or scopes; None where nothing is."""
    pattern = parse_pattern(text) if isinstance(text, str) else None
    if pattern is None:
        return "An action pattern: domain:read, domain:manage, domain:*, *, or an operation with * at its end."
    return "The domain platform belongs to no tenant." if pattern.domain == PLATFORM_DOMAIN else None


def resource_fault(text: Any) -> str | None:
    """What is wrong with a resource pattern; None where nothing is."""
    if isinstance(text, str) and parse_resource_pattern(text) is not None:
        return None
    return f"* or type:pattern, a pattern of 1 to {MAX_GLOB} characters without **."


def _check_list(value: Any, at: str, most: int) -> Iterator[FieldError]:
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        yield FieldError(at, f"A list of 1 to {most}.")


def _check_each(value: Any, at: str, most: int, fault_of: Callable[[Any], str | None]) -> Iterator[FieldError]:
    yield from _check_list(value, at, most)
    for index, element in enumerate(value if isinstance(value, list) else ()):
        if (fault := fault_of(element)) is not None:
            yield FieldError(f"{at}/{index}", fault)


def _below(at: str, name: str) -> str:
    return f"{at}/{name.replace('~', '~0').replace('/', '~1')}"


def parse_attachments(raw: Any, tenant_id: str, at: str = "/attachments") -> tuple[Attachment, ...]:
    """
    What a policy is attached to, as a caller wrote it: a list, perhaps empty, of `{"type", "id"}`.

    Raises:
        Unprocessable: `errors` points, below *at*, to each fault.
    """
    if not isinstance(raw, list) or len(raw) > MAX_ATTACHMENTS:
        raise Unprocessable(errors=[FieldError(at, f"A list of at most {MAX_ATTACHMENTS} attachments.")])
    errors: list[FieldError] = []
    attachments: list[Attachment] = []
    for index, one in enumerate(raw):
        place = f"{at}/{index}"
        if not isinstance(one, dict) or one.keys() != {"type", "id"}:
            errors.append(FieldError(place, "An object with type and id."))
        elif one["type"] == "tenant" and one["id"] != tenant_id:
            errors.append(FieldError(f"{place}/id", "The id of this tenant."))
        elif one["type"] == "role" and (not isinstance(one["id"], str) or not _ROLE_NAME.fullmatch(one["id"])):
            errors.append(FieldError(f"{place}/id", "The name of a role."))
        elif one["type"] in _ATTACHED_IDS and not is_id(one["id"], _ATTACHED_IDS[one["type"]]):
            errors.append(FieldError(f"{place}/id", f"The id of a thing of this type ({_ATTACHED_IDS[one['type']]}_...)."))
        elif one["type"] not in {"tenant", "role", *_ATTACHED_IDS}:
            errors.append(FieldError(f"{place}/type", "tenant, role, group, user, api_key or oauth_client."))
        elif (attachment := Attachment(one["type"], one["id"])) in attachments:
            errors.append(FieldError(place, "This attachment stands here twice."))
        else:
            attachments.append(attachment)
    if errors:
        raise Unprocessable("The attachments are not valid.", errors=errors)
    return tuple(attachments)


def read_document(stored: Any) -> tuple[Statement, ...]:
    """The statements of a stored document, in their order; one that is no statement at all is an empty one, at its index."""
    if isinstance(stored, Mapping) and "statements" in stored:
        each = stored["statements"] if isinstance(stored["statements"], list) else []
    else:
        each = [stored]
    return tuple(_read_statement(raw) for raw in each)


_NOTHING = Statement("deny", (), (), {})


def _read_statement(raw: Any) -> Statement:
    if not isinstance(raw, Mapping) or raw.get("effect") not in ("allow", "deny"):
        return _NOTHING
    conditions = raw.get("conditions", {})
    return Statement(
        effect=raw["effect"],
        actions=_texts(raw.get("actions")),
        resources=_texts(raw.get("resources")),
        conditions=conditions if isinstance(conditions, Mapping) else {"?": conditions},
    )


def _texts(raw: Any) -> tuple[str, ...]:
    return tuple(text for text in raw if isinstance(text, str)) if isinstance(raw, list) else ()
