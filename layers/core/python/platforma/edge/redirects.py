"""Answers that lead on, to a redirect URI or a page of ours: by 303, which never posts again (RFC 9700 section 4.12)."""

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from urllib.parse import quote, urlsplit

from platforma.edge.answer import Answer
from platforma.edge.browser import BROWSER, kept
from platforma.edge.pages.texts import Words, language_of
from platforma.oauth.authorization.answers import Page, Redirect

_SUBMIT = "document.forms[0].submit()"
_SUBMIT_HASH = base64.b64encode(hashlib.sha256(_SUBMIT.encode()).digest()).decode()


def led_on(outcome: Redirect | Page, accept_language: str) -> Answer:
    """*outcome* as an answer: a redirect, or the form of Form Post Response Mode section 2."""
    if isinstance(outcome, Page):
        flow = quote(outcome.flow, safe="")
        return Answer(303, headers={"Location": f"/{outcome.page}?flow={flow}"}, cookies=(kept(BROWSER, outcome.browser),))
    if outcome.mode == "form_post":
        return posted_on(outcome.uri, outcome.parameters, accept_language)
    return Answer(303, headers={"Location": outcome.location})


def posted_on(uri: str, parameters: Mapping[str, str], accept_language: str, *, cookies: tuple[str, ...] = ()) -> Answer:
    """A form with *parameters* that posts itself to *uri*; without script there is a button, in the language asked for."""
    parts, words = urlsplit(uri), Words(language_of(accept_language))
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in parameters.items()
    )
    body = (
        f'<!doctype html><html lang="{words.language}"><meta charset="utf-8"><title>PLATFORMA</title>'
        f'<form method="post" action="{escape(uri)}">{fields}<button>{escape(words.go_on)}</button></form>'
        f"<script>{_SUBMIT}</script></html>"
    )
    target = f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
    policy = f"default-src 'none'; script-src 'sha256-{_SUBMIT_HASH}'; form-action {target}; frame-ancestors 'none'"
    return Answer(200, body, {"Content-Security-Policy": policy}, media_type="text/html; charset=utf-8", cookies=cookies)
