"""Receivers of streams: HTTPS endpoints that tenants name, called as any address that a stranger chooses (`fetch`)."""

from collections.abc import Mapping

from platforma.adapters.fetch import PublicFetch
from platforma.audit.streams.errors import Unreached
from platforma.oauth.errors import Unfetched


class Receivers:
    """`Send`."""

    def __init__(self, fetch: PublicFetch) -> None:
        self._fetch = fetch

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer; a redirect is an answer like any, and nobody follows it."""
        try:
            return self._fetch.send("POST", url, body=body, headers=headers).status
        except Unfetched as error:
            raise Unreached(cause=str(error.facts.get("cause") or "no answer")) from error
