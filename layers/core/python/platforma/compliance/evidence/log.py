"""The tenant's log: locked, signed, whole."""

from datetime import timedelta
from typing import Any

from platforma.audit import note
from platforma.audit.completeness import completeness
from platforma.audit.keeping import read_keeping
from platforma.audit.model import Head
from platforma.audit.publish import checkpoint_key
from platforma.audit.retention import retain_until
from platforma.compliance import thresholds
from platforma.compliance.evidence.sources import Look
from platforma.compliance.model import Evidence
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import Broken

_ROUNDING = timedelta(hours=1)


def log(look: Look) -> list[Evidence]:
    """The newest checkpoints of the tenant's logs: their locks, ages and signatures; of several the worst one is told."""
    kept = read_keeping(look.tenant_id, keepings=look.at.keepings, least=look.at.least_years)
    term = {"years": kept.years, "legal_hold": kept.legal_hold}
    heads = [look.at.store.head(log_id) for log_id in look.at.store.logs_of(look.tenant_id)]
    seen = [_one(look, head, kept.years, term) for head in heads if head is not None and head.checkpoint_at is not None]
    if not seen:
        nothing = "Nothing of the log is published yet."
        return [look.seen("log_retained", None, nothing, facts=term), look.seen("log_signed", None, nothing, facts={})]
    return [min(ones, key=lambda one: one.verdict == "pass") for ones in zip(*seen, strict=True)]


def _one(look: Look, head: Head, years: int, term: dict[str, Any]) -> tuple[Evidence, Evidence]:
    """Of one log that is published."""
    assert head.checkpoint_at is not None
    name = checkpoint_key(head.log_id, head.checkpoint_size)
    lock = look.at.estate.lock(name)
    due = retain_until(parse_rfc3339(head.newest), years) - _ROUNDING
    locked = lock is not None and lock.mode == "COMPLIANCE" and lock.until >= due
    until = f"{lock.mode} until {rfc3339(lock.until)}" if lock else "not locked"
    facts = {"object": name, "lock": lock.mode if lock else None, "until": rfc3339(lock.until) if lock else None, **term}
    age = look.now - head.checkpoint_at
    signed = _signed(look, head)
    how = "its signature is good" if signed else "its signature is not good"
    told = f"A checkpoint of {head.checkpoint_size} entries is {int(age.total_seconds())} s old, {how}."
    about = {"log_id": head.log_id, "size": head.checkpoint_size, "checkpoint_at": rfc3339(head.checkpoint_at)}
    return (
        look.seen("log_retained", locked, f"The newest checkpoint is {until}.", facts=facts),
        look.seen("log_signed", signed and age <= thresholds.CHECKPOINT_AGE, told, facts={**about, "verified": signed}),
    )


def complete(look: Look) -> list[Evidence]:
    """Requests of the past days without an event."""
    told = completeness(look.tenant_id, look.now - thresholds.COMPLETENESS_OF, look.now, ledger=look.at.ledger, now=look.now)
    seen, missing = told["requests_seen"], told["missing_count"]
    if not seen:
        return [look.seen("log_complete", None, "No request was reconciled in the past seven days.", facts=told)]
    return [look.seen("log_complete", missing == 0, f"{missing} of {seen} requests have no event.", facts=told)]


def _signed(look: Look, head: Head) -> bool:
    checkpoint = look.at.published.signed(head.log_id, head.checkpoint_size)
    try:
        note.verify(checkpoint, note.keys_of(head.origin, look.at.signer))
    except Broken:
        return False
    return True
