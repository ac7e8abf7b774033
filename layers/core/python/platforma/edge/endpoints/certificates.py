"""Server certificates, for platform clients."""

from platforma.edge.endpoints.row import Endpoint, row

_FUNCTION = "certificates_manage"

ENDPOINTS: tuple[Endpoint, ...] = (
    row(
        *("GET", "/v1/certificates", "platform.certificates.list", _FUNCTION, "permission", "List server certificates"),
        resource="certificate",
        answer="certificates.CertificateList",
        query="common.Paging",
    ),
    row(
        *("POST", "/v1/certificates", "platform.certificates.create", _FUNCTION, "permission"),
        "Have a certificate ordered, installed and renewed for names",
        resource="certificate",
        body="certificates.CertificateOrder",
        answer="certificates.CertificateView",
        status=202,
    ),
    row(
        *("GET", "/v1/certificates/{id}", "platform.certificates.get", _FUNCTION, "permission"),
        "Read a server certificate and how far its order is",
        resource="certificate",
        answer="certificates.CertificateView",
    ),
    row(
        *("POST", "/v1/certificates/{id}/renew", "platform.certificates.renew", _FUNCTION, "permission"),
        "Have a certificate renewed now",
        resource="certificate",
        answer="certificates.CertificateView",
        status=202,
    ),
    row(
        *("POST", "/v1/certificates/{id}/revoke", "platform.certificates.revoke", _FUNCTION, "permission"),
        "Have a certificate revoked, at once or after its successor is installed",
        resource="certificate",
        body="certificates.Revocation",
        answer="certificates.CertificateView",
        status=202,
    ),
)
