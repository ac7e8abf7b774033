"""
Client certificates that are good no more, though they have not expired: the tenant's deny list.

Named by their thumbprint (`x5t#S256`, RFC 8705 section 3.1). A denied certificate authenticates no service and no client of
the tenant, and no token that is bound to it is good. What is denied stays so: a service whose key is safe gets a new one.
"""

from datetime import datetime, timedelta

from platforma.kernel.errors import Unauthenticated
from platforma.kernel.events import Attempt
from platforma.oauth.client_certificate import certificate_thumbprint
from platforma.oauth.errors import InvalidClient
from platforma.oauth.sessions.ports import Revocations

LONGEST_LIFE = timedelta(days=90)
"""No certificate of our CA lives longer."""


def certificate_id(thumbprint: str) -> str:
    """What a certificate is called among what was revoked."""
    return f"x5t#S256:{thumbprint}"


def deny_certificate(tenant_id: str, thumbprint: str, *, revocations: Revocations, attempt: Attempt) -> datetime:
    """
    Have the certificate be good for nothing of this tenant's, everywhere within 5 seconds; until when it is remembered.

    Raises:
        Unavailable: it is not known to be denied.
    """
    until = attempt.clock().replace(microsecond=0) + LONGEST_LIFE
    event = attempt.event("success", resource=thumbprint, resource_type="client_certificate")
    revocations.revoke(tenant_id, certificate_id(thumbprint), until, event)
    return until


def presented_id(presented: bytes) -> str:
    """
    What the certificate that was shown is called among what was revoked.

    Raises:
        Unauthenticated: it is no certificate.
    """
    try:
        return certificate_id(certificate_thumbprint(presented))
    except InvalidClient:
        raise Unauthenticated from None
