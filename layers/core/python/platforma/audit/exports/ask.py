"""Asking for an export, and reading how far it is."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from platforma.audit.exports.model import Export, Format
from platforma.audit.exports.ports import Exports
from platforma.audit.query import bound, parse_query
from platforma.kernel.clock import rfc3339
from platforma.kernel.errors import FieldError, Malformed, NotFound, Unprocessable
from platforma.kernel.events import Attempt
from platforma.kernel.ids import is_id, new_id


def ask_for_export(
    tenant_id: str,
    *,
    format: Format,  # noqa: A002  the contract's own word
    since: str,
    until: str,
    filter: Mapping[str, str],  # noqa: A002  as above
    exports: Exports,
    attempt: Attempt,
) -> Export:
    """
    Take an export of the tenant's events from *since* to *until* on; who asks and for what is in its event.

    Raises:
        Unprocessable: times in the wrong order or ahead, or a filter that says nothing.
    """
    start, end = _time(since, "/from"), _time(until, "/to")
    if not start < end:
        raise Unprocessable(errors=[FieldError("/to", "Must be after `from`.")])
    if start >= attempt.clock():
        raise Unprocessable(errors=[FieldError("/from", "Must not lie ahead.")])
    parse_query(tenant_id, dict(filter))
    export = Export(
        id=new_id("exp"),
        tenant_id=tenant_id,
        format=format,
        since=rfc3339(start),
        until=rfc3339(min(end, attempt.clock())),
        filter=dict(filter),
        requested_by=attempt.principal_id or "",
        created_at=rfc3339(attempt.clock()),
    )
    asked = {"format": format, "from": export.since, "to": export.until, "filter": sorted(filter)}
    event = attempt.event("success", resource=export.id, resource_type="export", changes={"after": asked})
    exports.add(export, event)
    return export


def read_export(tenant_id: str, export_id: str, *, exports: Exports) -> Export:
    """
    The export of this id.

    Raises:
        NotFound: the tenant has none.
    """
    export = exports.get(tenant_id, export_id) if is_id(export_id, "exp") else None
    if export is None:
        raise NotFound
    return export


def list_exports(tenant_id: str, *, limit: int, after: str | None, exports: Exports) -> tuple[Sequence[Export], str | None]:
    """A page of the tenant's exports, newest first, and the id to go on behind."""
    found = exports.listed(tenant_id, after=after, limit=limit + 1)
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def _time(text: str, where: str) -> datetime:
    try:
        return bound(text)
    except Malformed as error:
        raise Unprocessable(errors=[FieldError(where, error.detail)]) from None
