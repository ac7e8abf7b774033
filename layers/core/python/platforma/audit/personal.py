"""
Which parts of an event are a person's, and whose: these are sealed under that person's key and go when it goes.

The address and agent of a request belong to the person who acts, values in `changes` to the person who is changed. A person
is named by the user id, a pseudonym that stays in the clear; where nobody is known, one name a day stands for all.
Fields are named by their path in the event (`ip_address`, `changes/after/email`), escaped as in RFC 6901.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from platforma.audit.index import subject_of
from platforma.kernel.events import Event
from platforma.kernel.ids import is_id

OF_THE_ACTOR = ("ip_address", "user_agent")
_ALWAYS = frozenset(
    {"email", "emails", "phone", "phone_number", "ip_address", "last_used_ip", "user_agent", "given_name", "family_name"}
)
_OF_A_PERSON = frozenset({"name", "attributes", "display_name", "external_id", "subject", "picture", "profile"})
"""Personal where they describe a person, which is not so of a role's or a key's name."""

Values = dict[str, dict[str, Any]]
"""By person, by path: the values that are that person's."""


def divide(document: Mapping[str, Any], event: Event) -> tuple[dict[str, Any], Values]:
    """*document* (of *event*, as plain JSON) without its personal values, and these."""
    actor = event.user_id if is_id(event.user_id, "usr") else nobody(event.received_at)
    values: Values = {}
    clear = dict(document)
    for name in OF_THE_ACTOR:
        if clear.get(name) is not None:
            values.setdefault(str(actor), {})[name] = clear.pop(name)
    if "changes" in clear:
        about_person = event.resource_type == "user"
        changed = event.resource if about_person and is_id(event.resource, "usr") else actor
        clear["changes"] = _without(clear["changes"], "changes", about_person, values.setdefault(str(changed), {}))
    if "decision" in clear:
        subject = subject_of(clear) or actor
        clear["decision"] = _without(clear["decision"], "decision", False, values.setdefault(str(subject), {}))
    return clear, {person: found for person, found in values.items() if found}


def unite(document: Mapping[str, Any], values: Iterator[tuple[str, Any]] | Mapping[str, Any]) -> dict[str, Any]:
    """*document* with these values at their paths; the opposite of `divide`."""
    whole: Any = _copied(document)
    for path, value in dict(values).items():
        *way, name = [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")]
        place = whole
        for step in way:
            place = place[int(step)] if isinstance(place, list) else place[step]
        place[name] = value
    return dict(whole)


def nobody(received_at: str) -> str:
    """The name under which unknown persons of that day go."""
    return f"unknown-{received_at[:10]}"


def _without(value: Any, path: str, about_person: bool, found: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_without(inner, f"{path}/{at}", about_person, found) for at, inner in enumerate(value)]
    if not isinstance(value, dict):
        return value
    about_person = about_person or "email" in value or path == "decision/principal"
    kept: dict[str, Any] = {}
    unknown = path == "decision/principal" and "@" in str(value.get("id"))  # a person that is not known, by address
    for name, inner in value.items():
        personal = name in _ALWAYS or (about_person and name in _OF_A_PERSON) or (unknown and name == "id")
        if inner is not None and personal:
            found[_below(path, name)] = inner
        elif isinstance(inner, dict | list):
            kept[name] = _without(inner, _below(path, name), about_person, found)
        else:
            kept[name] = inner
    return kept


def _below(path: str, name: str) -> str:
    return f"{path}/{name.replace('~', '~0').replace('/', '~1')}"


def _copied(value: Any) -> Any:
    if type(value) is dict or isinstance(value, Mapping):  # the first is told at once, and there are many
        return {name: _copied(inner) for name, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value
