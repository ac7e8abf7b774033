"""People sign in by an identity provider: there with our request, back with its answer, and on."""

from platforma import bootstrap
from platforma.edge.answer import Answer
from platforma.edge.api import API
from platforma.edge.call import Call
from platforma.edge.pages.single_sign_on import (
    consume_answer,
    consume_logout_token,
    consume_response,
    keys,
    metadata,
    sign_out,
    start,
)

api = API("sso_sign_in", bootstrap.edge)


@api.serves("sso.metadata.get")
def get_metadata(call: Call) -> Answer:
    return metadata(call, bootstrap)


@api.serves("sso.sign_ins.start")
def start_sign_in(call: Call) -> Answer:
    return start(call, bootstrap)


@api.serves("sso.assertions.consume")
def consume_assertion(call: Call) -> Answer:
    return consume_response(call, bootstrap)


@api.serves("sso.keys.get")
def get_keys(call: Call) -> Answer:
    return keys(call, bootstrap)


@api.serves("sso.answers.consume")
def consume_code(call: Call) -> Answer:
    return consume_answer(call, bootstrap)


@api.serves("sso.sign_outs.start")
def begin_sign_out(call: Call) -> Answer:
    return sign_out(call, bootstrap, posted=False)


@api.serves("sso.sign_outs.consume")
def consume_sign_out(call: Call) -> Answer:
    return sign_out(call, bootstrap, posted=True)


@api.serves("sso.logout_tokens.consume")
def end_sessions(call: Call) -> Answer:
    return consume_logout_token(call, bootstrap)


handler = api.handler
