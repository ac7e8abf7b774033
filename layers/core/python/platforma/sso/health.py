"""How a connection fares: who signed in, what failed and why, and whose certificates are near their end."""

from base64 import b64decode
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from platforma.kernel.clock import Clock, rfc3339
from platforma.sso.model import Connection
from platforma.sso.ports import Domains, Traces

ENDING = timedelta(days=30)
"""How long before its end a certificate is told of."""
_LATEST = 200
_SHOWN = 20


def read_health(connection: Connection, *, traces: Traces, domains: Domains, clock: Clock) -> dict[str, Any]:
    """
    The connection's last sign-ins and failures of seven days, its certificates and its domains.

    *status* is `failing` where the last sign-in failed or nothing could be signed any more, `unused` without any.
    """
    now = clock()
    seen = traces.latest(connection.tenant_id, connection.id, limit=_LATEST)
    certificates = [_certificate(each, now) for each in (connection.saml.provider.certificates if connection.saml else ())]
    over = bool(certificates) and all(each["status"] == "expired" for each in certificates)
    status = "failing" if over or (seen and seen[0].failed) else "ok" if seen else "unused"
    return {
        "status": status,
        "tested_at": None if connection.tested_at is None else rfc3339(connection.tested_at),
        "last_sign_ins": [each.as_json() for each in seen if not each.failed][:_SHOWN],
        "failures": [each.as_json() for each in seen if each.failed],
        "certificates": certificates,
        "domains": [{"domain": name, "owned": domains.owner(name) == connection.tenant_id} for name in connection.domains],
    }


def _certificate(encoded: str, now: datetime) -> dict[str, Any]:
    certificate = x509.load_der_x509_certificate(b64decode(encoded))
    end = certificate.not_valid_after_utc
    status = "expired" if end <= now else "ending" if end - now < ENDING else "good"
    return {"sha256": certificate.fingerprint(hashes.SHA256()).hex(), "not_after": rfc3339(end), "status": status}
