"""A person before the deployed system, in a browser without scripts: follows redirects of ours and answers our forms."""

import re
import secrets
from html import unescape
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import httpx

from tests.running import Running
from tests.world import PASSWORD

_FORM = re.compile(r'<form method="post" action="([^"]+)"([^>]*)>(.*?)</form>', re.DOTALL)
_CODE = re.compile(r'name="user_code"[^>]* value="([^"]*)"')
_FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


class Person:
    """
    Somebody with an account and a password, and the cookies of their browser.

    *pages* are the paths at which they had something to answer.
    """

    def __init__(self, running: Running, email: str, password: str = PASSWORD, user_id: str = "") -> None:
        self.running, self.email, self.password, self.id = running, email, password, user_id
        self.http = httpx.Client(base_url=running.stack["url"], verify=running.trusted(), timeout=30)
        self.pages: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def visit(self, address: str, **answers: str) -> httpx.Response:
        """
        Open an address and do what the pages ask until the browser is led away from us or a page has nothing left to ask.

        The answer that ended it: a redirect to elsewhere, or a page. *answers* fill forms, in place of what is usual.
        """
        reply = self.http.get(address)
        for _ in range(12):
            if reply.is_redirect:
                there = urljoin(str(reply.url), reply.headers["location"])
                if not there.startswith(self.running.stack["url"] + "/"):
                    return reply
                reply = self.http.get(there)
            elif reply.status_code == 200 and (form := self._answered(reply, answers)) is not None:
                reply = self.http.post(form[0], data=form[1])
            else:
                return reply
        raise AssertionError(f"no end at {reply.url}")

    def led_back(self, address: str, **answers: str) -> str:
        """Where a client gets the browser back."""
        reply = self.visit(address, **answers)
        assert reply.is_redirect, (reply.status_code, str(reply.url), reply.text)
        return str(reply.headers["location"])

    def _answered(self, reply: httpx.Response, answers: dict[str, str]) -> tuple[str, dict[str, str]] | None:
        usual: dict[str, dict[str, str]] = {
            "/login": {"email": self.email, "password": self.password},
            "/consent": {"answer": "allow"},
            "/device": {"answer": "allow"},
            "/invitation": {"password": self.password},
            "/reset": {"password": self.password},
            "/sign-out": {},
        }
        for action, more, inside in _FORM.findall(reply.text):
            path = urlsplit(action).path
            if path not in usual or "data-passkey" in more or 'name="go_on"' in inside:
                continue
            self.pages.append(path)
            hidden = {name: unescape(value) for name, value in _FIELD.findall(inside)}
            asked = usual[path]
            if typed := _CODE.search(inside):
                asked = {"user_code": unescape(typed[1])}
            return action, hidden | asked | {name: answers[name] for name in asked if name in answers}
        return None


def signed_in(running: Running, email: str, password: str = PASSWORD) -> tuple[str, str]:
    """Sign this person of the demo tenant's in; the id of the session, and the browser's cookie as a header has it."""
    with Person(running, email, password) as person:
        reply = person.visit(f"/login?tenant={running.stack['tenant']['id']}")
        assert reply.url.path == "/factors", (reply.status_code, reply.text)
        cookie = str(person.http.cookies["__Host-platforma"])
    return cookie.partition(".")[0], f"__Host-platforma={cookie}"


def somebody(running: Running, token: str, **more: Any) -> Person:
    """A new person of the demo tenant's."""
    email = f"ada-{secrets.token_hex(4)}@demo.test"
    body = {"email": email, "name": "Ada Lovelace", "password": PASSWORD, "roles": ["viewer"], **more}
    made = running.call("POST", "/v1/users", token=token, json=body)
    assert made.status_code == 201, made.text
    return Person(running, email, user_id=made.json()["id"])
