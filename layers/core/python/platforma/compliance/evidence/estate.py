"""How the stores are set up: encryption, locks, recovery, alarms."""

from collections.abc import Iterable
from typing import Any, Protocol

from platforma.compliance import thresholds
from platforma.compliance.evidence.sources import Look
from platforma.compliance.model import Evidence


class _Named(Protocol):
    @property
    def name(self) -> str: ...


def tables(look: Look) -> list[Evidence]:
    """The tables' encryption and recovery."""
    found = look.at.estate.tables()
    bare = [one.name for one in found if one.key is None]
    weak = [one.name for one in found if not (one.recoverable and one.days >= thresholds.RECOVERY_DAYS and one.protected)]
    facts = [one._asdict() for one in found]
    return [
        look.seen("tables_encrypted", bool(found) and not bare, _told("tables", found, bare), facts={"tables": facts}),
        look.seen("tables_recoverable", bool(found) and not weak, _told("tables", found, weak), facts={"tables": facts}),
    ]


def buckets(look: Look) -> list[Evidence]:
    """The buckets' encryption, who may see them, and the lock of the one that holds the log."""
    found = look.at.estate.buckets()
    bare = [one.name for one in found if one.key is None and not (one.takes_access_logs and one.encrypted)]
    open_ = [one.name for one in found if not one.private]
    log = next(iter(found), None)
    locked = log is not None and log.versioned and log.lock == "COMPLIANCE" and log.lock_years >= thresholds.LOCK_YEARS
    facts: list[dict[str, Any]] = [one._asdict() for one in found]
    lock = f"{log.lock or 'no'} lock of {log.lock_years} years" if log else "no bucket"
    return [
        look.seen("buckets_encrypted", bool(found) and not bare, _told("buckets", found, bare), facts={"buckets": facts}),
        look.seen("buckets_private", bool(found) and not open_, _told("buckets", found, open_), facts={"buckets": facts}),
        look.seen("log_locked", locked, f"The audit bucket has {lock} by default.", facts=facts[0] if facts else {}),
    ]


def queues(look: Look) -> list[Evidence]:
    """The queues' encryption."""
    found = look.at.estate.queues()
    bare = [one.name for one in found if one.key is None]
    facts = {"queues": [one._asdict() for one in found]}
    return [look.seen("queues_encrypted", bool(found) and not bare, _told("queues", found, bare), facts=facts)]


def cloud_keys(look: Look) -> list[Evidence]:
    """Whether the keys are rotated."""
    found = look.at.estate.keys()
    still = [one.name for one in found if not one.rotates]
    facts = {"keys": [one._asdict() for one in found]}
    return [look.seen("cloud_keys_rotated", bool(found) and not still, _told("keys", found, still), facts=facts)]


def alarms(look: Look) -> list[Evidence]:
    """Whether anybody would be told."""
    found = look.at.estate.alarms()
    quiet = found.known > 0 and not found.ringing
    told = f"{found.telling} of {found.known} alarms tell somebody."
    ringing = f"{len(found.ringing)} of {found.known} alarms ring."
    return [
        look.seen(
            "alarms_set", 0 < found.known == found.telling, told, facts={"known": found.known, "telling": found.telling}
        ),
        look.seen("alarms_quiet", quiet, ringing, facts={"ringing": list(found.ringing)}),
    ]


def _told(what: str, found: Iterable[_Named], wrong: list[str]) -> str:
    count = len(list(found))
    if not count:
        return f"No {what} were found."
    return f"{count - len(wrong)} of {count} {what} are as expected{': not ' + ', '.join(wrong) if wrong else ''}."
