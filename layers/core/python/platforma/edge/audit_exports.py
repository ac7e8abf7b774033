"""Exports as a caller asks for and sees them."""

from typing import Any

from platforma.audit.exports.model import KEPT, LINK, MANIFEST, Export
from platforma.audit.exports.ports import Files
from platforma.edge.call import Call
from platforma.kernel.clock import parse_rfc3339, rfc3339


def asked_export(call: Call) -> dict[str, Any]:
    """What the body asks for."""
    body = call.body
    wanted = body.filter.model_dump(exclude_none=True) if body.filter is not None else {}
    return {"format": body.format, "since": body.from_, "until": body.to, "filter": wanted}


def export_view(export: Export, files: Files) -> dict[str, Any]:
    """The export; once it is done and as long as its files are kept, with links to them."""
    done = export.status == "done"
    shown = [
        {
            "name": file.name,
            "url": files.link(export.folder + file.name, LINK),
            "sha256": file.sha256,
            "size": file.size,
            "events": file.events,
        }
        for file in (export.files if done else ())
    ]
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
        "manifest_url": files.link(export.folder + MANIFEST, LINK) if done else None,
    }
