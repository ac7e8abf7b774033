"""All evidence of a tenant, each piece read on its own: one that cannot be read says so and holds up no other."""

from collections.abc import Callable, Collection, Mapping

from platforma.compliance import thresholds
from platforma.compliance.evidence import credentials, endpoints, estate, log, people
from platforma.compliance.evidence.sources import Look, Sources
from platforma.compliance.model import Evidence
from platforma.kernel.errors import Broken, PlatformaError

Gathering = Callable[[Look], list[Evidence]]

GATHERED: Mapping[tuple[str, ...], Gathering] = {
    ("tables_encrypted", "tables_recoverable"): estate.tables,
    ("buckets_encrypted", "buckets_private", "log_locked"): estate.buckets,
    ("queues_encrypted",): estate.queues,
    ("cloud_keys_rotated",): estate.cloud_keys,
    ("alarms_set", "alarms_quiet"): estate.alarms,
    ("tls_outside",): endpoints.outside,
    ("tls_inside",): endpoints.inside,
    ("log_retained", "log_signed"): log.log,
    ("log_complete",): log.complete,
    ("tenant_key_rotated",): credentials.tenant_key,
    ("signing_keys_rotated",): credentials.signing_keys,
    ("dormant_keys", "key_ages", "keys_expire"): credentials.credentials,
    ("mfa_coverage", "administrators_known", "dormant_users"): people.people,
    ("failed_sign_ins",): people.failed_sign_ins,
    ("access_reviewed",): people.reviewed,
}
"""Which evidence comes of which look."""


def gather(tenant_id: str, sources: Sources, wanted: Collection[str]) -> dict[str, Evidence]:
    """The *wanted* evidence of one tenant, by name; nothing else is looked at."""
    look = Look(tenant_id, sources, until=sources.clock() + thresholds.AT_MOST)
    found: dict[str, Evidence] = {}
    for names, gathering in GATHERED.items():
        if set(names).isdisjoint(wanted):
            continue
        try:
            found |= {one.name: one for one in gathering(look)}
        except PlatformaError as error:
            good, why = (False, "What was found is broken") if isinstance(error, Broken) else (None, "It could not be read")
            cause = error.facts.get("cause") or error.code
            found |= {name: look.seen(name, good, f"{why} ({cause}).", facts={}) for name in names}
    return found
