"""
Taking a person out of exports, and a tenant's exports away.

A person goes once no index tells of them any more: an export that was made, wholly or in part, of what the indexes said
before, and whose proofs name the person, is begun anew over the same checkpoints. Whoever is making one at that moment may
have read of the person, so that one is waited for. Whoever fetched the files has them all the same.
"""

import gzip
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from platforma.audit.erasure import Erasure, Erasures
from platforma.audit.exports.model import KEPT, MANIFEST, Export, part_names
from platforma.audit.exports.ports import Exports, Files
from platforma.kernel.clock import Clock, parse_rfc3339
from platforma.kernel.errors import Unavailable

ENDED = "tenant_deleted"
_BUDGET = timedelta(seconds=40)
_PAGE = 50


def forget_exported(*, erasures: Erasures, exports: Exports, files: Files, clock: Clock) -> dict[str, int]:
    """
    Begin exports anew that told of persons whom no index tells of any more, as far as time allows; for how many persons
    that is *done* now, and for how many it is *open*.

    One that meets an export in the making or a failing dependency holds up no other, and is gone on with by the next call.
    """
    until, counts = clock() + _BUDGET, {"done": 0, "open": 0}
    for erasure in erasures.open():
        if erasure.exports_place is None or erasure.place is not None or erasure.cold_place is not None:
            continue
        counts["open"] += 1
        try:
            onward = _forgotten(erasure, exports, files, clock, until)
            if onward != erasure and erasures.replace(erasure, onward) and onward.exports_place is None:
                counts["done"] += 1
                counts["open"] -= 1
        except Unavailable:
            continue
    return counts


def forget_exports_of_ended(tenants: Iterable[str], *, exports: Exports, files: Files, clock: Clock) -> int:
    """
    Delete the files of exports of tenants whose keys are destroyed; of how many exports.

    Raises:
        Unavailable: a dependency failed; the next call goes on.
    """
    count = 0
    for tenant_id in tenants:
        for export in _every(tenant_id, "", exports):
            if (export.status, export.reason) == ("failed", ENDED) or _is_held(export, clock):
                continue
            files.remove(_names(export))
            count += exports.replace(replace(export, status="failed", reason=ENDED, parts=0, leased_until=0)) is not None
    return count


def _forgotten(erasure: Erasure, exports: Exports, files: Files, clock: Clock, until: datetime) -> Erasure:
    """The erasure as it stands then, with the last export that was looked at for its place."""
    place, remade = erasure.exports_place or "", erasure.exports_remade
    for export in _every(erasure.tenant_id, place, exports):
        if clock() >= until or _is_held(export, clock):
            return replace(erasure, exports_place=place, exports_remade=remade)
        if export.status != "failed" and clock() < parse_rfc3339(export.created_at) + KEPT:
            told = _tells_of(export, erasure.user_id, files)
            if (told or export.status != "done") and not _begun_anew(export, told, exports, files):
                return replace(erasure, exports_place=place, exports_remade=remade)
            remade += told
        place = export.id
    return replace(erasure, exports_place=None, exports_remade=remade)


def _begun_anew(export: Export, told: bool, exports: Exports, files: Files) -> bool:
    """
    Delete what there is of the export and have it made once more; False if another changed it meanwhile.

    Files go first: who is stopped in between leaves an export without them, which the next call takes for one that told.
    Of one that is in the making, a part may lie there that was not noted any more.
    """
    if not told:
        files.remove(_unnoted(export))
        return True
    files.remove(_names(export))
    return exports.replace(replace(export, status="queued", after=None, events=0, parts=0)) is not None


def _tells_of(export: Export, person: str, files: Files) -> bool:
    """Whether one of its proofs names the person, or is not there to tell."""
    for number in range(1, export.parts + 1):
        with tempfile.TemporaryDirectory() as folder:
            found = Path(folder) / "proofs"
            if not files.fetch(export.folder + part_names(export, number)[1], found):
                return True
            with gzip.open(found) as lines:
                if any(person.encode() in line for line in lines):
                    return True
    return False


def _names(export: Export) -> list[str]:
    """The names of all its files."""
    parts = (part_names(export, number) for number in range(1, export.parts + 1))
    return [export.folder + name for names in parts for name in names] + _unnoted(export)


def _unnoted(export: Export) -> list[str]:
    """The names of what may have been written of it, and that its state does not name."""
    return [export.folder + name for name in (*part_names(export, export.parts + 1), MANIFEST)]


def _is_held(export: Export, clock: Clock) -> bool:
    return export.leased_until > clock().timestamp()


def _every(tenant_id: str, after: str, exports: Exports) -> Iterator[Export]:
    """The tenant's exports that are older than *after*, newest first."""
    place: str | None = after or None
    while found := exports.listed(tenant_id, after=place, limit=_PAGE):
        yield from found
        place = found[-1].id
