"""What platform clients ask for: certificates for names, their renewal, their end. The work itself is `work`'s."""

from collections.abc import Sequence

from platforma.certificates.model import Certificate, Condemned, Reason
from platforma.certificates.ports import Certificates
from platforma.kernel.errors import Conflict, NotFound
from platforma.kernel.events import Attempt
from platforma.kernel.ids import is_id, new_id


def order_certificate(domains: Sequence[str], *, certificates: Certificates, attempt: Attempt) -> Certificate:
    """A new record of *domains* (DNS names in lower case, a wildcard's with `*.`), for which a certificate is to be had."""
    certificate = Certificate(new_id("crt"), tuple(dict.fromkeys(domains)), attempt.clock())
    changes = {"after": {"domains": list(certificate.domains)}}
    event = attempt.event("success", resource=certificate.id, resource_type="certificate", changes=changes)
    certificates.add(certificate, event)
    return certificate


def read_certificate(certificate_id: str, *, certificates: Certificates) -> Certificate:
    """
    The record of this id.

    Raises:
        NotFound: there is none.
    """
    found = certificates.get(certificate_id) if is_id(certificate_id, "crt") else None
    if found is None:
        raise NotFound("No such certificate.")
    return found


def list_certificates(*, after: str | None, limit: int, certificates: Certificates) -> tuple[list[Certificate], str | None]:
    """Records, newest first, and the position to go on from."""
    found = list(certificates.listed(after=after, limit=limit + 1))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def renew_certificate(certificate_id: str, *, certificates: Certificates, attempt: Attempt) -> Certificate:
    """
    Have the record's certificate renewed now, or tried again where that failed; one that is under way goes on.

    Raises:
        NotFound: there is none.
        Conflict: it was revoked.
        PreconditionFailed: it changed in this very moment.
    """
    certificate = read_certificate(certificate_id, certificates=certificates)
    if certificate.ended:
        raise Conflict("A revoked certificate is not renewed; order another.")
    now = attempt.clock()
    wanted = certificate.changed(renew_at=now, attempts=0, next_attempt_at=None, failed=False)
    return certificates.replace(wanted, attempt.event("success", resource=certificate.id, resource_type="certificate"))


def revoke_certificate(
    certificate_id: str, *, reason: Reason, replaced: bool, certificates: Certificates, attempt: Attempt
) -> Certificate:
    """
    Have what stands revoked: at once and for good, or, if it is to be *replaced*, as soon as its successor is installed.

    Raises:
        NotFound: there is none.
        Conflict: nothing was issued yet, or it is revoked, or another one's revocation is under way.
        PreconditionFailed: it changed in this very moment.
    """
    certificate = read_certificate(certificate_id, certificates=certificates)
    issued = certificate.issued
    if issued is None or certificate.ended or certificate.condemned is not None:
        raise Conflict("There is nothing to revoke, or it is being revoked.")
    condemned = Condemned(issued.chain, issued.serial_number, reason)
    wanted = certificate.changed(condemned=condemned, attempts=0, next_attempt_at=None)
    if replaced:
        wanted = wanted.changed(renew_at=attempt.clock())
    else:
        wanted = wanted.changed(ended=True, order=None, sealed_key=None, renew_at=None, ask_at=None)
    changes = {"after": {"serial_number": issued.serial_number, "reason": reason, "replaced": replaced}}
    event = attempt.event("success", resource=certificate.id, resource_type="certificate", changes=changes)
    return certificates.replace(wanted, event)
