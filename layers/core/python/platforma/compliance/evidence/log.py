"""The tenant's log: locked, signed, whole."""

from datetime import timedelta

from platforma.audit import note
from platforma.audit.completeness import completeness
from platforma.audit.keeping import read_keeping
from platforma.audit.publish import checkpoint_key
from platforma.audit.retention import retain_until
from platforma.compliance import thresholds
from platforma.compliance.evidence.sources import Look
from platforma.compliance.model import Evidence
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import Broken

_ROUNDING = timedelta(hours=1)


def log(look: Look) -> list[Evidence]:
    """The newest checkpoint of the tenant's first log: its lock, its age and its signature."""
    head = look.at.store.head(look.tenant_id)
    kept = read_keeping(look.tenant_id, keepings=look.at.keepings, least=look.at.least_years)
    term = {"years": kept.years, "legal_hold": kept.legal_hold}
    if head is None or head.checkpoint_at is None:
        nothing = "Nothing of the log is published yet."
        return [look.seen("log_retained", None, nothing, facts=term), look.seen("log_signed", None, nothing, facts={})]
    name = checkpoint_key(head.log_id, head.checkpoint_size)
    lock = look.at.estate.lock(name)
    due = retain_until(parse_rfc3339(head.newest), kept.years) - _ROUNDING
    locked = lock is not None and lock.mode == "COMPLIANCE" and lock.until >= due
    until = f"{lock.mode} until {rfc3339(lock.until)}" if lock else "not locked"
    facts = {"object": name, "lock": lock.mode if lock else None, "until": rfc3339(lock.until) if lock else None, **term}
    age = look.now - head.checkpoint_at
    signed = _signed(look, head.origin)
    how = "its signature is good" if signed else "its signature is not good"
    told = f"A checkpoint of {head.checkpoint_size} entries is {int(age.total_seconds())} s old, {how}."
    about = {"log_id": head.log_id, "size": head.checkpoint_size, "checkpoint_at": rfc3339(head.checkpoint_at)}
    return [
        look.seen("log_retained", locked, f"The newest checkpoint is {until}.", facts=facts),
        look.seen("log_signed", signed and age <= thresholds.CHECKPOINT_AGE, told, facts={**about, "verified": signed}),
    ]


def complete(look: Look) -> list[Evidence]:
    """Requests of the past days without an event."""
    told = completeness(look.tenant_id, look.now - thresholds.COMPLETENESS_OF, look.now, ledger=look.at.ledger, now=look.now)
    seen, missing = told["requests_seen"], told["missing_count"]
    if not seen:
        return [look.seen("log_complete", None, "No request was reconciled in the past seven days.", facts=told)]
    return [look.seen("log_complete", missing == 0, f"{missing} of {seen} requests have no event.", facts=told)]


def _signed(look: Look, origin: str) -> bool:
    checkpoint = look.at.published.checkpoint(look.tenant_id)
    try:
        note.verify(checkpoint, note.keys_of(origin, look.at.signer))
    except Broken:
        return False
    return True
