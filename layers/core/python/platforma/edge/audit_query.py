"""What the URL asks of the audit log, and the answers that are not JSON."""

import gzip
from dataclasses import replace
from datetime import datetime

from platforma.audit.model import tenant_of
from platforma.audit.query import Query, parse_query
from platforma.edge.answer import Answer
from platforma.edge.call import Call
from platforma.kernel.clock import parse_rfc3339
from platforma.kernel.errors import FieldError, Forbidden, Malformed, NotFound, Unprocessable

_GZIP_FROM = 1 << 20
"""Bytes from which a bundle of entries is compressed: 256 entries of 32 KiB are more than a gateway carries."""


def event_query(call: Call) -> Query:
    """
    The query of this call; a caller without `audit:read` is answered from its own events alone.

    Raises:
        Unprocessable: a parameter that says nothing.
        Forbidden: another person's events, without `audit:read`.
    """
    asked = {name: values[0] for name, values in call.query.items() if name != "cursor"}
    query = parse_query(call.tenant_id, asked, after=call.parameters.cursor)
    if call.permitted:
        return query
    own = call.caller.user_id
    if query.user_id not in (None, own):
        raise Forbidden("You lack audit:read, which events of others need.")
    if own is None:
        return replace(query, principals=frozenset({call.caller.principal_id, call.caller.acting_id}))
    return replace(query, user_id=own)


def own_log(call: Call) -> str:
    """
    The log that the path names.

    Raises:
        NotFound: it is none of the caller's tenant, which is as if it did not exist.
    """
    log_id = call.path["log_id"]
    if tenant_of(log_id) != call.tenant_id:
        raise NotFound
    return log_id


def consistency_sizes(call: Call) -> tuple[str, int, int | None]:
    """
    The log, and the two sizes that are asked about (None: its newest).

    Raises:
        NotFound: the log is none of the caller's tenant.
    """
    asked = call.parameters
    log_id = asked.log or call.tenant_id
    if tenant_of(log_id) != call.tenant_id:
        raise NotFound
    return log_id, int(asked.from_), None if asked.to is None else int(asked.to)


def asked_times(call: Call) -> tuple[datetime, datetime]:
    """
    From when to when.

    Raises:
        Unprocessable: one is no time.
    """
    return asked_time(call.parameters.from_, "/from"), asked_time(call.parameters.to, "/to")


def asked_time(text: str, at: str) -> datetime:
    """
    The moment that the parameter at this pointer names.

    Raises:
        Unprocessable: it is no time; the error points at the parameter.
    """
    try:
        return parse_rfc3339(text)
    except Malformed as error:
        raise Unprocessable(errors=[FieldError(at, error.detail)]) from None


def tile_answer(body: bytes, call: Call) -> Answer:
    """A tile as it is; a large bundle of entries compressed, which every client of tlog-tiles takes."""
    unchanging = {"Cache-Control": "private, max-age=31536000, immutable"}
    if len(body) >= _GZIP_FROM and "gzip" in call.headers.get("accept-encoding", "gzip"):
        body, unchanging = gzip.compress(body, mtime=0), {**unchanging, "Content-Encoding": "gzip"}
    return Answer(200, body, unchanging, media_type="application/octet-stream")
