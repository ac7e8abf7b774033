"""
Under which paths an event is found in the hot index, and which path a search takes.

Indexed: time (every event), `user_id`, `resource`, `request_id`, and, by its claim, `id`. Everything else (`action`,
`result`, `ip_address`, `q`) is filtered from what the narrowest of these paths yields.
"""

import hashlib
import json

from platforma.audit.model import Row
from platforma.audit.ports import Path

_LONGEST = 512


def paths_of(row: Row) -> list[Path]:
    """Every path under which *row* stands."""
    body = json.loads(row.body)
    paths = [Path()]
    if user := body.get("user_id"):
        paths.append(Path("user", _value(user)))
    if resource := body.get("resource"):
        paths.append(Path("resource", _value(resource)))
    if request := body.get("request_id"):
        paths.append(Path("request", _value(request)))
    return paths


def narrowest(*, user_id: str | None, resource: str | None, request_id: str | None) -> Path:
    """The path with the fewest events to look through."""
    if request_id:
        return Path("request", _value(request_id))
    if resource:
        return Path("resource", _value(resource))
    return Path("user", _value(user_id)) if user_id else Path()


def _value(text: str) -> str:
    """*text*, or what stands for it where it is too long for a key."""
    return text if len(text.encode()) <= _LONGEST else "sha256:" + hashlib.sha256(text.encode()).hexdigest()
