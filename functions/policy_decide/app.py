"""Decisions, one or many at a time, in our own form and in AuthZEN's."""

from platforma import bootstrap
from platforma.edge.answer import Answer
from platforma.edge.api import API
from platforma.edge.authzen import configuration, evaluate, evaluate_each
from platforma.edge.bodies import held_to
from platforma.edge.call import Call
from platforma.edge.schemas.authzen import Evaluation
from platforma.edge.searches import search_actions, search_resources, search_subjects

api = API("policy_decide", bootstrap.edge)


@api.serves("decisions.decisions.read")
def authorize(call: Call) -> Answer:
    desk = bootstrap.desk(call)
    decision, record = desk.ask(call.body)
    call.note_decision(record)
    return Answer(200, desk.told(decision))


@api.serves("decisions.batches.read")
def authorize_batch(call: Call) -> Answer:
    desk = bootstrap.desk(call)
    asked = [desk.ask(question, at=f"/requests/{place}") for place, question in enumerate(call.body.requests)]
    call.enter_decisions((record for _, record in asked), bootstrap.outbox().enter)
    return Answer(200, {"decisions": [desk.told(decision) for decision, _ in asked]})


@api.serves("decisions.evaluations.read")
def evaluation(call: Call) -> Answer:
    answer, record = evaluate(bootstrap.desk(call), call.body)
    call.note_decision(record)
    return Answer(200, answer)


@api.serves("decisions.evaluation_batches.read")
def evaluations(call: Call) -> Answer:
    if not call.body.evaluations:
        call.body = held_to(Evaluation, call.body.model_dump(exclude_none=True))
        return evaluation(call)
    answered = list(evaluate_each(bootstrap.desk(call), call.body))
    call.enter_decisions((record for _, record in answered if record), bootstrap.outbox().enter)
    return Answer(200, {"evaluations": [answer for answer, _ in answered]})


@api.serves("decisions.subjects.search")
def subject_search(call: Call) -> Answer:
    return Answer(200, search_subjects(call, bootstrap.desk(call), bootstrap.principals()))


@api.serves("decisions.resources.search")
def resource_search(call: Call) -> Answer:
    return Answer(200, search_resources(call, bootstrap.desk(call), bootstrap.policies()))


@api.serves("decisions.actions.search")
def action_search(call: Call) -> Answer:
    return Answer(200, search_actions(call, bootstrap.desk(call)))


@api.serves("decisions.metadata.get")
def get_configuration(_call: Call) -> Answer:
    return Answer(200, configuration(bootstrap.issuer()), {"Cache-Control": "public, max-age=300"})


handler = api.handler
