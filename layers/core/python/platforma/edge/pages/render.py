"""Pages as answers: one template each, under a policy that lets in nothing but our own style, script and forms."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jinja2

from platforma.edge.answer import Answer
from platforma.edge.pages.shown import Shown
from platforma.edge.pages.texts import Words, language_of
from platforma.edge.status import status_of
from platforma.kernel.errors import NotAllowed, PlatformaError, RateLimited, Unavailable

HTML = "text/html; charset=utf-8"
_HERE = Path(__file__).parent
_TARGET = re.compile(r"\A[a-z][a-z0-9+.-]*:(//(\[[0-9a-f:]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?)?\Z")
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; form-action 'self'{targets}; base-uri 'none'; "
    "frame-ancestors 'none'"
)


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(
    template: str,
    words: Words,
    *,
    status: int = 200,
    leads_to: Iterable[str] = (),
    cookies: tuple[str, ...] = (),
    headers: dict[str, str] | None = None,
    **values: Any,
) -> Answer:
    """
    A page of *template*. Its forms go to us; *leads_to* are addresses that the answer to one may lead on to, since a browser
    holds redirects to the policy as well (CSP level 3 section 6.4.1): redirect URIs and identity providers.
    """
    body = _templates().get_template(f"{template}.html").render(words=words, **values)
    policy = _POLICY.format(targets="".join(dict.fromkeys(map(_target, leads_to))))
    sent = {"Content-Security-Policy": policy, "Content-Language": words.language, "X-Frame-Options": "DENY"}
    return Answer(status, body, {**sent, **(headers or {})}, media_type=HTML, cookies=cookies)


def _target(redirect_uri: str) -> str:
    """
    The origin of a redirect URI, or its scheme where it has none, as a source of the policy; nothing if it is odd. `https:`
    stands for any secure address: of the page that does not know the tenant yet, and has nothing in it to steal.
    """
    parts = urlsplit(redirect_uri)
    origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
    return f" {origin}" if _TARGET.match(origin) else ""


def error_page(error: PlatformaError, request_id: str, accept_language: str) -> Answer:
    """*error* as a page, with the reference by which it is found in the log; a `Shown` one as it is."""
    if isinstance(error, Shown):
        return error.answer
    status, _ = status_of(error)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, (RateLimited, Unavailable)) else {}
    headers |= {"Allow": error.allow} if isinstance(error, NotAllowed) else {}
    words, detail = Words(language_of(accept_language)), error.public if status >= 500 else error.detail
    return page(
        "error",
        words,
        status=status,
        headers=headers,
        told=words.of(detail),
        detail=detail,
        reference=request_id,
        tenant=None,
    )


def asset(name: str, media_type: str) -> Answer:
    """A static file of ours."""
    return Answer(
        200, (_HERE / "static" / name).read_text(), {"Cache-Control": "public, max-age=300"}, media_type=media_type
    )
