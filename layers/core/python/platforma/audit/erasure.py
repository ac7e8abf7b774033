"""
Erasure of a person from a tenant's logs on request (GDPR article 17), and its certificate.

A request is kept and worked on, step by step, until it is done: `accepted`, then `erased` (the person's key is gone, nothing
in the log can be read), then `done` (both indexes are rewritten, exports that told of the person are begun anew, and a
checkpoint covers the log as it is now). The certificate says when, and under which signed checkpoints the logs stood before
and after: whoever holds both can ask for the proof that the later only continues the earlier.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import Any, Literal, Protocol

from platforma.audit.erase import SETTLED, START, Place, destroy_key, rewrite_index
from platforma.audit.proof import Published
from platforma.audit.relay import Relay
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import Broken, NotFound, Unavailable
from platforma.kernel.events import Attempt, Event

_BUDGET = timedelta(seconds=40)
_PLACES = ("place", "cold_place", "exports_place")


@dataclass(frozen=True, slots=True)
class Erasure:
    """
    A person to be erased, or who was. *before* and *after* are checkpoints by log, *rewritten* counts rows of the index.

    *place* is how far the rewriting is; None where nothing is left to rewrite. *cold_rewritten* counts files of old events,
    and *cold_place* is how far these are; *exports_remade* and *exports_place* likewise, of exports.
    """

    tenant_id: str
    user_id: str
    requested_by: str
    requested_at: str
    status: Literal["accepted", "erased", "done"] = "accepted"
    erased_at: str | None = None
    rewritten: int = 0
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    place: Place | None = START
    cold_rewritten: int = 0
    cold_place: str | None = ""
    exports_remade: int = 0
    exports_place: str | None = ""

    def document(self) -> dict[str, Any]:
        """All of it as plain JSON."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def as_json(self) -> dict[str, Any]:
        """What its readers see."""
        return {name: value for name, value in self.document().items() if name not in _PLACES}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Erasure":
        """What `document` gave."""
        place = document["place"]
        return cls(**{**document, "place": None if place is None else Place(*place)})


class Erasures(Protocol):
    """Erasures on record, for good. Every method may raise `Unavailable`."""

    def add(self, erasure: Erasure, event: Event) -> None:
        """
        Keep a request and have it worked on, with its event, or neither.

        Raises:
            Conflict: the person's erasure was asked for before.
        """

    def get(self, tenant_id: str, user_id: str) -> Erasure | None:
        """The person's erasure."""

    def open(self) -> Iterator[Erasure]:
        """Those that are to be worked on."""

    def replace(self, before: Erasure, after: Erasure) -> bool:
        """Put *after* in the place of *before*, which is open until it is done; False if it is not *before* any more."""


def ask_for_erasure(tenant_id: str, user_id: str, *, erasures: Erasures, attempt: Attempt) -> Erasure:
    """
    Have the person erased from the tenant's logs; the profile is deleted already, so that nothing new is told of it.

    Raises:
        Conflict: it was asked for before.
    """
    erasure = Erasure(tenant_id, user_id, attempt.principal_id or "", rfc3339(attempt.clock()))
    event = attempt.event("success", resource=user_id, resource_type="user", reason="erasure_requested", part=2)
    erasures.add(erasure, event)
    return erasure


def read_erasure(tenant_id: str, user_id: str, *, erasures: Erasures) -> Erasure:
    """
    The person's erasure.

    Raises:
        NotFound: none was asked for.
    """
    erasure = erasures.get(tenant_id, user_id)
    if erasure is None:
        raise NotFound
    return erasure


def erase_persons(*, erasures: Erasures, by: Relay, published: Published, host: str) -> dict[str, int]:
    """
    Work on what was asked for, as far as time allows: how many are *done* now, and how many are still *open*.

    One that meets a busy log or a failing dependency holds up no other, and is gone on with by the next call.

    Raises:
        Broken: something is broken, and the others are worked on all the same.
    """
    until, counts = by.clock() + _BUDGET, {"done": 0, "open": 0}
    broken: Broken | None = None
    for erasure in erasures.open():
        counts["open"] += 1
        if by.clock() >= until:
            continue
        try:
            if _advanced(erasure, erasures, by, published, host):
                counts["done"] += 1
                counts["open"] -= 1
        except Unavailable:
            continue
        except Broken as error:
            broken = broken or error
    if broken is not None:
        raise broken
    return counts


def _advanced(erasure: Erasure, erasures: Erasures, by: Relay, published: Published, host: str) -> bool:
    """Do the next of its steps; whether that was the last one."""
    if erasure.status == "accepted":
        before = _checkpoints(erasure.tenant_id, by, published)
        if before is not None:
            destroy_key(erasure.tenant_id, erasure.user_id, host=host, by=by)
            erased = replace(erasure, status="erased", erased_at=rfc3339(by.clock()), before=before)
            erasures.replace(erasure, erased)
        return False
    if by.clock() < parse_rfc3339(erasure.erased_at or erasure.requested_at) + SETTLED:
        return False
    if erasure.place is not None:
        until = by.clock() + _BUDGET
        count, place = rewrite_index(erasure.tenant_id, erasure.user_id, by=by, place=erasure.place, until=until)
        onward = replace(erasure, rewritten=erasure.rewritten + count, place=place)
        if not erasures.replace(erasure, onward) or place is not None:
            return False
        erasure = onward
    if erasure.cold_place is not None or erasure.exports_place is not None:
        return False
    after = _checkpoints(erasure.tenant_id, by, published)
    if after is None or any(after[log_id] == checkpoint for log_id, checkpoint in erasure.before.items()):
        return False
    return erasures.replace(erasure, replace(erasure, status="done", after=after))


def _checkpoints(tenant_id: str, by: Relay, published: Published) -> dict[str, str] | None:
    """The newest checkpoint of each of the tenant's logs; None as long as one has none."""
    found = {}
    for log_id in by.store.logs_of(tenant_id):
        head = by.store.head(log_id)
        if head is None or head.checkpoint_size == 0:
            return None
        found[log_id] = published.signed(log_id, head.checkpoint_size).decode()
    return found
