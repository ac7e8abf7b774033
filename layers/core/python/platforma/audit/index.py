"""
Under which paths an event is found in the hot index, and which path a search takes.

Indexed: time (every event), `user_id` (where no person acted, the `principal_id`), `resource`, `request_id`, whom a decision
was about (`subject`), and, by its claim, `id`. Everything else (`action`, `result`, `ip_address`, `q`) is filtered from what
the narrowest of these paths yields. Failed sign-ins stand together besides, to be counted; no search takes that path.
Another service's word for who acted stands apart (`named`): a search for a person looks there as well, and whoever asks
when somebody was last seen does not. Whatever an event says of a person, it stands under one of `OF_A_PERSON` with that
person's id.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from platforma.audit.model import Row
from platforma.audit.ports import Path, PathName
from platforma.kernel.ids import is_id

SIGN_IN = "oauth.login.submit"
FAILED_SIGN_INS = Path("failed_sign_in")
OF_A_PERSON: tuple[PathName, ...] = ("user", "named", "resource", "subject")
_LONGEST = 512


def paths_of(row: Row) -> list[Path]:
    """Every path under which *row* stands."""
    body = json.loads(row.body)
    paths = [Path()]
    user = body.get("user_id")
    if body.get("source") == "external":
        paths += [Path("named", _value(user))] if user else []
    elif user:
        paths.append(Path("user", _value(user)))
        paths += [FAILED_SIGN_INS] if is_failed_sign_in(body) else []
    elif principal := body.get("principal_id"):
        paths.append(Path("principal", _value(principal)))
    if resource := body.get("resource"):
        paths.append(Path("resource", _value(resource)))
    if request := body.get("request_id"):
        paths.append(Path("request", _value(request)))
    if (subject := subject_of(body)) not in (None, user, resource):
        paths.append(Path("subject", str(subject)))
    return paths


def is_failed_sign_in(body: Mapping[str, Any]) -> bool:
    """Whether the event tells that a known person's sign-in came to nothing."""
    return body.get("action") == SIGN_IN and body.get("result") != "success" and bool(body.get("user_id"))


def subject_of(body: Mapping[str, Any]) -> str | None:
    """The person whom the event's decision was about, if it tells of one."""
    decision = body.get("decision")
    asked = decision.get("principal") if isinstance(decision, dict) else None
    subject = asked.get("id") if isinstance(asked, dict) else None
    return str(subject) if is_id(subject, "usr") else None


def ways(*, about: str | None, user_id: str | None, resource: str | None, request_id: str | None) -> tuple[Path, ...]:
    """The paths to take: those with the fewest events to look through, or all under which a person is found."""
    if about:
        return tuple(Path(name, about) for name in OF_A_PERSON)
    if request_id:
        return (Path("request", _value(request_id)),)
    if resource:
        return (Path("resource", _value(resource)),)
    return (Path("user", _value(user_id)), Path("named", _value(user_id))) if user_id else (Path(),)


def _value(text: str) -> str:
    """*text*, or what stands for it where it is too long for a key."""
    return text if len(text.encode()) <= _LONGEST else "sha256:" + hashlib.sha256(text.encode()).hexdigest()
