"""Answers that lead on, to a redirect URI or a page of ours: by 303, which never posts again (RFC 9700 section 4.12)."""

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from urllib.parse import quote, urlsplit

from platforma.edge.answer import Answer
from platforma.edge.browser import BROWSER, kept
from platforma.oauth.authorization.answers import Page, Redirect

_SUBMIT = "document.forms[0].submit()"
_SUBMIT_HASH = base64.b64encode(hashlib.sha256(_SUBMIT.encode()).digest()).decode()


def led_on(outcome: Redirect | Page) -> Answer:
    """*outcome* as an answer: a redirect, or the form that `form_post` posts by itself."""
    if isinstance(outcome, Page):
        flow = quote(outcome.flow, safe="")
        return Answer(303, headers={"Location": f"/{outcome.page}?flow={flow}"}, cookies=(kept(BROWSER, outcome.browser),))
    if outcome.mode == "form_post":
        return _form_post(outcome)
    return Answer(303, headers={"Location": outcome.location})


def _form_post(outcome: Redirect) -> Answer:
    """OAuth 2.0 Form Post Response Mode section 2."""
    return posted_on(outcome.uri, outcome.parameters)


def posted_on(uri: str, parameters: Mapping[str, str], *, cookies: tuple[str, ...] = ()) -> Answer:
    """A form with *parameters* that posts itself to *uri*; without script there is a button."""
    parts = urlsplit(uri)
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in parameters.items()
    )
    body = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>PLATFORMA</title>'
        f'<form method="post" action="{escape(uri)}">{fields}<button>Continue</button></form>'
        f"<script>{_SUBMIT}</script></html>"
    )
    target = f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
    policy = f"default-src 'none'; script-src 'sha256-{_SUBMIT_HASH}'; form-action {target}; frame-ancestors 'none'"
    return Answer(200, body, {"Content-Security-Policy": policy}, media_type="text/html; charset=utf-8", cookies=cookies)
