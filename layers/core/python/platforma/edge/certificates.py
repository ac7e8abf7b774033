"""Server certificates as the API shows them: all that is public, and no key."""

from datetime import datetime
from typing import Any

from platforma.certificates import Certificate
from platforma.edge.schemas.certificates import CertificateView


def certificate_shown(certificate: Certificate, now: datetime) -> dict[str, Any]:
    """The view of *certificate* as it stands at *now*."""
    issued, order = certificate.issued, certificate.order
    return CertificateView.of(
        {
            "id": certificate.id,
            "domains": list(certificate.domains),
            "status": certificate.status(now),
            "serial_number": issued.serial_number if issued else None,
            "not_before": issued.not_before if issued else None,
            "not_after": issued.not_after if issued else None,
            "certificate": issued.chain if issued else None,
            "installed": dict(certificate.places),
            "renew_at": certificate.renew_at,
            "progress": order.stage if order else None,
            "attempts": certificate.attempts,
            "next_attempt_at": certificate.next_attempt_at if certificate.attempts else None,
            "problem": certificate.problem,
            "created_at": certificate.created_at,
            "revoked_at": certificate.revoked_at,
        }
    )
