"""The pages: signing in, consent, one's own ways to sign in, signing out; with their style and script."""

from platforma import bootstrap
from platforma.edge.answer import Answer
from platforma.edge.api import API
from platforma.edge.bodies import read_form, read_parameters
from platforma.edge.call import Call
from platforma.edge.pages.consent import consent, show_consent
from platforma.edge.pages.own import change_factors, show_factors, show_sign_out, sign_out
from platforma.edge.pages.render import asset
from platforma.edge.pages.sign_in import show_sign_in, sign_in
from platforma.edge.pages.visit import Visit, visit

api = API("oauth_pages", bootstrap.edge)


def _opened(call: Call) -> Visit:
    return visit(call, bootstrap, read_parameters(call), posted=False)


def _sent(call: Call) -> Visit:
    return visit(call, bootstrap, read_form(call), posted=True)


@api.serves("oauth.login.get")
def get_login(call: Call) -> Answer:
    return show_sign_in(_opened(call))


@api.serves("oauth.login.submit")
def submit_login(call: Call) -> Answer:
    return sign_in(_sent(call))


@api.serves("oauth.consent.get")
def get_consent(call: Call) -> Answer:
    return show_consent(_opened(call))


@api.serves("oauth.consent.submit")
def submit_consent(call: Call) -> Answer:
    return consent(_sent(call))


@api.serves("oauth.factors.get")
def get_factors(call: Call) -> Answer:
    return show_factors(_opened(call))


@api.serves("oauth.factors.submit")
def submit_factors(call: Call) -> Answer:
    return change_factors(_sent(call))


@api.serves("oauth.sign_out.get")
def get_sign_out(call: Call) -> Answer:
    return show_sign_out(_opened(call))


@api.serves("oauth.sign_out.submit")
def submit_sign_out(call: Call) -> Answer:
    return sign_out(_sent(call))


@api.serves("oauth.page_style.get")
def get_style(_call: Call) -> Answer:
    return asset("style.css", "text/css; charset=utf-8")


@api.serves("oauth.page_script.get")
def get_script(_call: Call) -> Answer:
    return asset("passkey.js", "text/javascript; charset=utf-8")


handler = api.handler
