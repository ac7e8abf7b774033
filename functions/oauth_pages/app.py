"""The pages: signing in and out, passwords by mail, consent, devices, one's own ways to sign in; their style and script."""

from collections.abc import Callable

from platforma import bootstrap
from platforma.edge.answer import Answer
from platforma.edge.api import API
from platforma.edge.bodies import read_form, read_parameters
from platforma.edge.call import Call
from platforma.edge.pages.consent import consent, show_consent
from platforma.edge.pages.device import connect_device, show_device
from platforma.edge.pages.mailed import forgot_password, set_password, show_forgot_password, show_set_password
from platforma.edge.pages.own import change_factors, show_factors, show_sign_out, sign_out
from platforma.edge.pages.render import asset
from platforma.edge.pages.sign_in import show_sign_in, sign_in
from platforma.edge.pages.visit import Visit, visit

Page = Callable[[Visit], Answer]

api = API("oauth_pages", bootstrap.edge)

PAGES: dict[str, tuple[Page, Page]] = {
    "login": (show_sign_in, sign_in),
    "forgot_password": (show_forgot_password, forgot_password),
    "reset": (show_set_password, set_password),
    "invitation": (show_set_password, set_password),
    "consent": (show_consent, consent),
    "device": (show_device, connect_device),
    "factors": (show_factors, change_factors),
    "sign_out": (show_sign_out, sign_out),
}


def _serve(name: str, shown: Page, answered: Page) -> None:
    api.serves(f"oauth.{name}.get")(lambda call: shown(visit(call, bootstrap, read_parameters(call), posted=False)))
    api.serves(f"oauth.{name}.submit")(lambda call: answered(visit(call, bootstrap, read_form(call), posted=True)))


for page, (show, answer) in PAGES.items():
    _serve(page, show, answer)


@api.serves("oauth.page_style.get")
def get_style(_call: Call) -> Answer:
    return asset("style.css", "text/css; charset=utf-8")


@api.serves("oauth.page_script.get")
def get_script(_call: Call) -> Answer:
    return asset("passkey.js", "text/javascript; charset=utf-8")


handler = api.handler
