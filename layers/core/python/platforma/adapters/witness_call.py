"""Calls of witnesses: whoever a tenant chose, as `PublicFetch` calls strangers."""

from platforma.adapters.fetch import PublicFetch
from platforma.audit.witnesses.errors import Unanswered
from platforma.audit.witnesses.ports import Answered
from platforma.oauth.errors import Unfetched

_HEADERS = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": "platforma-audit-witness/1"}


class WitnessCall:
    """`Ask`."""

    def __init__(self, fetch: PublicFetch) -> None:
        self._fetch = fetch

    def __call__(self, url: str, body: bytes) -> Answered:
        """By `POST {url}/add-checkpoint`; a redirect is an answer like any, and nobody follows it."""
        try:
            return Answered(*self._post(f"{url}/add-checkpoint", body))
        except Unfetched as error:
            raise Unanswered(cause=str(error.facts.get("cause") or "no answer")) from error

    def _post(self, url: str, body: bytes) -> tuple[int, bytes]:
        fetched = self._fetch.send("POST", url, body=body, headers=_HEADERS)
        return fetched.status, fetched.body
