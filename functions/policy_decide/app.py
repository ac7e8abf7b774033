"""Decisions, one or many at a time."""

from platforma import bootstrap
from platforma.edge.answer import Answer
from platforma.edge.api import API
from platforma.edge.call import Call

api = API("policy_decide", bootstrap.edge)


@api.serves("decisions.decisions.read")
def authorize(call: Call) -> Answer:
    desk = bootstrap.desk(call)
    decision, record = desk.ask(call.body)
    call.note_decision(record)
    return Answer(200, decision.as_json(nearest=desk.holds("settings:read")))


@api.serves("decisions.batches.read")
def authorize_batch(call: Call) -> Answer:
    desk = bootstrap.desk(call)
    asked = [desk.ask(question, at=f"/requests/{place}") for place, question in enumerate(call.body.requests)]
    for part, (_, record) in enumerate(asked, 1):
        call.note_decision(record)
        bootstrap.outbox().enter(call.attempt.event("success", part=part))
    nearest = desk.holds("settings:read")
    return Answer(200, {"decisions": [decision.as_json(nearest=nearest) for decision, _ in asked]})


handler = api.handler
