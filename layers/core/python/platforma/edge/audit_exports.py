"""Exports as a caller asks for and sees them."""

from collections.abc import Sequence
from typing import Any

from platforma.audit.exports.model import KEPT, LINK, MANIFEST, Export
from platforma.audit.exports.ports import Exports, Files
from platforma.edge.call import Call
from platforma.kernel.clock import parse_rfc3339, rfc3339

_SHOWN = 500
"""Parts whose two files one answer names, by links of up to 2 KB: a function's answer is 6 MB at most."""


def asked_export(call: Call) -> dict[str, Any]:
    """What the body asks for."""
    body = call.body
    wanted = body.filter.model_dump(exclude_none=True) if body.filter is not None else {}
    return {"format": body.format, "since": body.from_, "until": body.to, "filter": wanted}


def exports_page(
    call: Call, found: Sequence[Export], after: str | None, exports: Exports, files: Files
) -> tuple[list[dict[str, Any]], str | None]:
    """As many of *found* as one answer holds, and the id to go on behind: *after*, if that is all of them."""
    views: list[dict[str, Any]] = []
    parts = 0
    for at, export in enumerate(found):
        parts += min(export.parts, _SHOWN) if export.status == "done" else 0
        if views and parts > _SHOWN:
            return views, found[at - 1].id
        views.append(export_view(call, export, exports, files))
    return views, after


def export_view(call: Call, export: Export, exports: Exports, files: Files, after: str | None = None) -> dict[str, Any]:
    """
    The export; once it is done and as long as its files are kept, with links to those of its parts behind the *after*-th,
    and a cursor where there are more than one answer holds.
    """
    done, first = export.status == "done", int(after or 0)
    shown = [
        {**file.as_json(), "url": files.link(export.folder + file.name, LINK)}
        for file in (exports.files(export, after=first, limit=_SHOWN) if done else ())
    ]
    more = done and export.parts > first + _SHOWN
    return {
        "id": export.id,
        "format": export.format,
        "from": export.since,
        "to": export.until,
        "filter": dict(export.filter),
        "status": export.status,
        "requested_by": export.requested_by,
        "created_at": export.created_at,
        "expires_at": rfc3339(parse_rfc3339(export.created_at) + KEPT),
        "events": export.events,
        "reason": export.reason,
        "files": shown,
        "next_cursor": call.cursor_into("audit.exports.get", {"id": export.id}, str(first + _SHOWN)) if more else None,
        "manifest_url": files.link(export.folder + MANIFEST, LINK) if done else None,
    }
