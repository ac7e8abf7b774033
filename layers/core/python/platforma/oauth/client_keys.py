"""
The public keys of clients: registered (`jwks`), or behind an address of theirs (`jwks_uri`).

A fetched set is kept for five minutes, and fetched anew for a `kid` that it does not have, at most twice a minute: a client
rotates without telling us, and nobody makes us call it as often as they like (OpenID Connect Core section 10.1.1).
"""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from platforma.kernel.clock import Clock
from platforma.keys.jwk import ALGORITHMS, NotAKey, PublicKeyTypes, from_jwk
from platforma.oauth.compact_jws import json_object
from platforma.oauth.errors import InvalidToken
from platforma.oauth.model import Client
from platforma.oauth.ports import Fetch

KEPT = timedelta(minutes=5)
FETCHED_EVERY = timedelta(seconds=30)
MAX_KEYS = 100
_REMEMBERED = 256


class ClientKeys:
    """Finds clients' keys; what was fetched is kept by client and address."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch, self._clock = fetch, clock
        self._fetched: OrderedDict[tuple[str, str], tuple[datetime, Sequence[Any]]] = OrderedDict()

    def key_of(self, client: Client, kid: str | None, algorithm: str) -> PublicKeyTypes:
        """
        The one key of *client* that *kid* names and that is for *algorithm*; without a kid, its only such key.

        Raises:
            InvalidToken: there is none, or without a kid more than one.
            Unfetched: they are behind an address that does not give them.
        """
        if client.jwks is not None:
            return _chosen(client.jwks["keys"], kid, algorithm)
        if client.jwks_uri is None:
            raise InvalidToken
        return self.key_at(client.id, client.jwks_uri, kid, algorithm)

    def key_at(self, owner: str, jwks_uri: str, kid: str | None, algorithm: str) -> PublicKeyTypes:
        """As `key_of`, of *owner* (a client, or a connection to a provider) behind *jwks_uri*."""
        place = (owner, jwks_uri)
        known = self._fetched.get(place)
        age = None if known is None else self._clock() - known[0]
        if known is not None and age is not None and age < KEPT:
            try:
                return _chosen(known[1], kid, algorithm)
            except InvalidToken:
                if age < FETCHED_EVERY:
                    raise
        return _chosen(self._read(place), kid, algorithm)

    def _read(self, place: tuple[str, str]) -> Sequence[Any]:
        # Noted before it is tried: an address that does not answer is not called at once again.
        self._keep(place, ())
        keys = json_object(self._fetch.get(place[1])).get("keys")
        if not isinstance(keys, list) or len(keys) > MAX_KEYS:
            raise InvalidToken
        self._keep(place, keys)
        return keys

    def _keep(self, place: tuple[str, str], keys: Sequence[Any]) -> None:
        self._fetched[place] = (self._clock(), keys)
        self._fetched.move_to_end(place)
        while len(self._fetched) > _REMEMBERED:
            self._fetched.popitem(last=False)


def _chosen(keys: Sequence[Any], kid: str | None, algorithm: str) -> PublicKeyTypes:
    found = [
        key
        for key in keys
        if isinstance(key, dict)
        and algorithm in ALGORITHMS.get(str(key.get("kty")), ())
        and key.get("use", "sig") == "sig"
        and "verify" in key.get("key_ops", ("verify",))
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    ]
    if len(found) != 1:
        raise InvalidToken
    try:
        return from_jwk(found[0])
    except NotAKey:
        raise InvalidToken from None
