"""Compliance: reports with live evidence, access reviews, records of processing."""

from platforma import bootstrap
from platforma.edge.answer import Answer, listed
from platforma.edge.api import API
from platforma.edge.call import Call
from platforma.edge.compliance import access_answer, report_answer, reviewed

api = API("compliance_reports", bootstrap.edge)


@api.serves("audit.compliance_reports.get")
def get_report(call: Call) -> Answer:
    return report_answer(call, bootstrap.compliance.make_report(call.path["framework"], call.tenant_id))


@api.serves("audit.processing_records.get")
def get_records(call: Call) -> Answer:
    kept = bootstrap.audit.read_keeping(call.tenant_id)
    return Answer(200, bootstrap.compliance.records_of_processing(call.tenant_id, kept))


@api.serves("audit.access.list")
def list_access(call: Call) -> Answer:
    # Read before the rights are: a change in between then shows in what is reviewed, or refuses its completion.
    version = bootstrap.policy_version(call)
    lines, after = bootstrap.compliance.list_access(call.tenant_id, kind=call.parameters.type, **call.page())
    return access_answer(call, lines, after, version)


@api.serves("audit.access_reviews.complete")
def complete_review(call: Call) -> Answer:
    review = bootstrap.compliance.complete_review(
        call.tenant_id, **reviewed(call), current=bootstrap.policy_version(call), attempt=call.attempt
    )
    return Answer(201, review.as_json(), resource=review.id)


@api.serves("audit.access_reviews.list")
def list_reviews(call: Call) -> Answer:
    found, after = bootstrap.compliance.list_reviews(call.tenant_id, **call.page())
    return listed([review.as_json() for review in found], call.next_cursor(after))


handler = api.handler
