"""
Proof of possession at the edge: a bound token is good with its key alone, a token request is bound to what it shows.

Our own endpoints ask for nonces of ours. A gateway's authorizer cannot send one, so that there the id of a proof and its
short life have to do.
"""

from collections.abc import Callable, Collection, Mapping
from urllib.parse import urlsplit

from platforma.edge.call import Call
from platforma.kernel.clock import Clock
from platforma.keys.ports import Secrets
from platforma.oauth.access_token import AccessToken
from platforma.oauth.client_certificate import certificate_thumbprint
from platforma.oauth.dpop import Nonces, Proof, verify_proof
from platforma.oauth.errors import InvalidClient, InvalidDPoPProof, InvalidRequest, InvalidToken
from platforma.oauth.model import Client
from platforma.oauth.ports import SingleUse


class Proofs:
    """Checks proofs of possession. *origins* are the URLs by which this API is known, the stable one first."""

    def __init__(
        self, *, origins: Collection[str], secrets: Secrets, single_use: Callable[[], SingleUse], clock: Clock
    ) -> None:
        self._origins, self._secrets, self._single_use, self._clock = tuple(origins), secrets, single_use, clock

    def binding_of(self, call: Call, client: Client) -> dict[str, str] | None:
        """
        What the tokens of this request of *client* are bound to, as `cnf` has it; None: to nothing.

        Raises:
            InvalidDPoPProof: a proof that is none, or none of a client whose tokens must be bound by one.
            UseDPoPNonce: it needs a nonce.
            InvalidRequest: a client whose tokens are bound to its certificate shows none.
        """
        binding: dict[str, str] = {}
        if (shown := call.headers.get("dpop")) is not None:
            binding["jkt"] = self._verified(call, shown).jkt
        elif client.dpop_bound_access_tokens:
            raise InvalidDPoPProof("A DPoP proof is required.")
        if client.tls_client_certificate_bound_access_tokens:
            if call.certificate is None:
                raise InvalidRequest("A client certificate is required: use the mutual TLS endpoint.")
            binding["x5t#S256"] = certificate_thumbprint(call.certificate)
        return binding or None

    def key_of(self, call: Call) -> str | None:
        """
        The thumbprint of the key that this request proves to hold, if it carries a proof (RFC 9449 section 10.1).

        Raises:
            InvalidDPoPProof: a proof that is none.
            UseDPoPNonce: it needs a nonce.
        """
        shown = call.headers.get("dpop")
        return None if shown is None else self._verified(call, shown).jkt

    def require(self, call: Call, token: AccessToken, presented: str, scheme: str) -> None:
        """
        Require that the caller holds what *token* is bound to, at our own endpoint.

        Raises:
            InvalidToken: it does not, or the token is shown under another scheme than its own.
            InvalidDPoPProof: no good proof.
            UseDPoPNonce: it needs a nonce.
        """
        call.client_id = token.client_id
        self._require_scheme(token, scheme)
        if "jkt" in (token.binding or {}):
            proof = self._verified(call, call.headers.get("dpop", ""), access_token=presented)
            self._require_key(token, proof)
        self._require_certificate(token, call.certificate)

    def require_elsewhere(
        self,
        token: AccessToken,
        presented: str,
        scheme: str,
        *,
        headers: Mapping[str, str],
        method: str,
        path: str,
        certificate: bytes | None,
    ) -> None:
        """
        As `require`, at another API's gateway, which cannot send a nonce: the URL is that of the token's audience.

        Raises:
            InvalidToken: what it is bound to was not shown.
            InvalidDPoPProof: no good proof.
        """
        self._require_scheme(token, scheme)
        if "jkt" in (token.binding or {}):
            audience = urlsplit(token.audience)
            origin = f"{audience.scheme}://{audience.netloc}"
            proof = verify_proof(
                headers.get("dpop", ""),
                method=method,
                urls={f"{origin}{path}", f"{token.audience.rstrip('/')}{path}"},
                single_use=self._single_use(),
                clock=self._clock,
                nonces=None,
                access_token=presented,
            )
            self._require_key(token, proof)
        self._require_certificate(token, certificate)

    def _verified(self, call: Call, shown: str, access_token: str | None = None) -> Proof:
        nonces = Nonces(self._secrets.secret("lookup"), self._clock)
        proof = verify_proof(
            shown,
            method=call.method,
            urls={f"{origin}{call.url_path}" for origin in self._origins},
            single_use=self._single_use(),
            clock=self._clock,
            nonces=nonces,
            access_token=access_token,
        )
        call.dpop_nonce = nonces.current() if proof.nonce != nonces.current() else None
        return proof

    @staticmethod
    def _require_scheme(token: AccessToken, scheme: str) -> None:
        # A bound token as a mere bearer token, or the other way round, is a downgrade (RFC 9449 section 7.2).
        if ("jkt" in (token.binding or {})) != (scheme == "dpop"):
            raise InvalidToken

    @staticmethod
    def _require_key(token: AccessToken, proof: Proof) -> None:
        if proof.jkt != (token.binding or {}).get("jkt"):
            raise InvalidToken

    @staticmethod
    def _require_certificate(token: AccessToken, certificate: bytes | None) -> None:
        thumbprint = (token.binding or {}).get("x5t#S256")
        if thumbprint is None:
            return
        try:
            shown = certificate_thumbprint(certificate) if certificate is not None else None
        except InvalidClient:
            shown = None
        if shown != thumbprint:
            raise InvalidToken
