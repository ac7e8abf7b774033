"""What platform clients ask for: certificates for names, their renewal, their end. The work itself is `work`'s."""

from collections.abc import Callable, Sequence

from platforma.certificates.model import Certificate, Condemned, Reason
from platforma.certificates.ports import Certificates
from platforma.kernel.errors import Conflict, NotFound, PreconditionFailed
from platforma.kernel.events import Attempt, Event
from platforma.kernel.ids import is_id, new_id

_RACES = 8


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
        PreconditionFailed: it changed each time that it was to be written.
    """

    def wanted(certificate: Certificate) -> tuple[Certificate, Event]:
        if certificate.ended:
            raise Conflict("A revoked certificate is not renewed; order another.")
        due = certificate.changed(renew_at=attempt.clock(), attempts=0, next_attempt_at=None, failed=False)
        return due, attempt.event("success", resource=certificate.id, resource_type="certificate")

    return _changed(certificate_id, wanted, certificates)


def revoke_certificate(
    certificate_id: str, *, reason: Reason, replaced: bool, certificates: Certificates, attempt: Attempt
) -> Certificate:
    """
    Have what stands revoked: at once and for good, or, if it is to be *replaced*, as soon as its successor is installed.

    Raises:
        NotFound: there is none.
        Conflict: nothing was issued yet, or it is revoked, or another one's revocation is under way.
        PreconditionFailed: it changed each time that it was to be written.
    """

    def wanted(certificate: Certificate) -> tuple[Certificate, Event]:
        issued = certificate.issued
        if issued is None or certificate.ended or certificate.condemned is not None:
            raise Conflict("There is nothing to revoke, or it is being revoked.")
        condemned = Condemned(issued.chain, issued.serial_number, reason)
        ending = certificate.changed(condemned=condemned, attempts=0, next_attempt_at=None)
        if replaced:
            ending = ending.changed(renew_at=attempt.clock())
        else:
            ending = ending.changed(ended=True, order=None, sealed_key=None, renew_at=None, ask_at=None)
        changes = {"after": {"serial_number": issued.serial_number, "reason": reason, "replaced": replaced}}
        return ending, attempt.event("success", resource=certificate.id, resource_type="certificate", changes=changes)

    return _changed(certificate_id, wanted, certificates)


def _changed(
    certificate_id: str, wanted: Callable[[Certificate], tuple[Certificate, Event]], certificates: Certificates
) -> Certificate:
    """Write what is *wanted* of the record as it stands; where the worker wrote in between, of what it wrote."""
    for last in (*(False,) * (_RACES - 1), True):
        try:
            return certificates.replace(*wanted(read_certificate(certificate_id, certificates=certificates)))
        except PreconditionFailed:
            if last:
                raise
    raise PreconditionFailed
