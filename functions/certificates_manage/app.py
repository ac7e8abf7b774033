"""Server certificates from a certificate authority, for platform clients; a schedule does the work."""

from platforma import bootstrap
from platforma.edge.answer import Answer, listed, shown
from platforma.edge.api import API
from platforma.edge.call import Call
from platforma.edge.certificates import certificate_shown
from platforma.edge.operator import also_scheduled, operated

api = API("certificates_manage", bootstrap.edge)


@api.serves("platform.certificates.list")
def list_certificates(call: Call) -> Answer:
    found, after = bootstrap.certificates.list_certificates(**call.page())
    return listed([certificate_shown(each, call.now) for each in found], call.next_cursor(after))


@api.serves("platform.certificates.create")
def order_certificate(call: Call) -> Answer:
    made = bootstrap.certificates.order_certificate(call.body.domains, attempt=call.attempt)
    return shown(certificate_shown(made, call.now), made.version, status=202)


@api.serves("platform.certificates.get")
def read_certificate(call: Call) -> Answer:
    found = bootstrap.certificates.read_certificate(call.path["id"])
    return shown(certificate_shown(found, call.now), found.version)


@api.serves("platform.certificates.renew")
def renew_certificate(call: Call) -> Answer:
    wanted = bootstrap.certificates.renew_certificate(call.path["id"], attempt=call.attempt)
    return shown(certificate_shown(wanted, call.now), wanted.version, status=202)


@api.serves("platform.certificates.revoke")
def revoke_certificate(call: Call) -> Answer:
    wanted = bootstrap.certificates.revoke_certificate(
        call.path["id"], reason=call.body.reason, replaced=call.body.replace, attempt=call.attempt
    )
    return shown(certificate_shown(wanted, call.now), wanted.version, status=202)


@operated("certificates_manage", counted=("steps", "late"))
def work(_event: dict[str, object], request_id: str) -> dict[str, object]:
    return bootstrap.work_on_certificates(request_id)


handler = also_scheduled(api.handler, work)
