"""
A certificate authority over ACME (RFC 8555, RFC 9773), by certbot's `acme` and `josepy`.

Nothing is kept between calls but the account's URL: an order is what its URL says. A nonce that was refused is answered by
a fresh one, many times in a row (RFC 8555 section 6.5); the library itself tries twice.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal, TypeVar, cast

import requests
from acme import challenges, client, errors, messages
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from josepy.errors import Error as JOSEError
from josepy.json_util import field
from josepy.jwa import ES256
from josepy.jwk import JWK, JWKEC

from platforma.certificates.errors import OrderLost, Refused, TryLater
from platforma.certificates.model import Proof
from platforma.certificates.ports import OrderState, Window
from platforma.kernel.clock import Clock, system_clock
from platforma.kernel.errors import Broken, Unavailable

TIMEOUT_SECONDS = 10
NONCES = 25
"""How many nonces in a row may be refused: a CA that refuses every other one fails an order in 1 of 30 million requests."""
_STANDINGS = ("pending", "ready", "processing", "valid", "invalid")
_USER_AGENT = "platforma-certificates/1"
_LASTING = frozenset({"rejectedIdentifier", "unsupportedIdentifier"})
_PASSING = frozenset({"rateLimited", "serverInternal", "badNonce"})
Answer = TypeVar("Answer")


class NewOrder(messages.NewOrder):
    """With the certificate that it replaces (RFC 9773 section 5)."""

    replaces: str = field("replaces", omitempty=True)


class ACME:
    """
    `Authority` at the *directory*. *account* gives `account_key`, a PEM key on P-256, and where the CA asks for them
    `contact`, an e-mail address (RFC 8555 section 7.3), and for an external account (section 7.3.4) `eab_kid` and
    `eab_hmac_key`. *ca_file* has the roots that the CA's own address is
    verified with; without it they are the public ones.
    """

    def __init__(
        self, directory: str, account: Callable[[], Mapping[str, str]], *, ca_file: str | None = None,
        clock: Clock = system_clock,
    ) -> None:  # fmt: skip
        self._directory, self._account, self._ca_file, self._clock = directory, account, ca_file, clock
        self._made: client.ClientV2 | None = None

    def order(self, domains: Sequence[str], replaces: str | None) -> tuple[str, Sequence[Proof]]:
        """A new order (section 7.4) and the dns-01 proofs of its authorizations that are pending (section 8.4)."""
        return self._asked(lambda acme: self._order(acme, domains, replaces))

    def answer(self, url: str) -> None:
        """Answer the pending challenges (section 7.5.1)."""

        def answered(acme: client.ClientV2) -> None:
            for authorization in self._authorizations(acme, self._body(acme, url)):
                challenge = _dns01(authorization)
                if authorization.status == messages.STATUS_PENDING and challenge.status == messages.STATUS_PENDING:
                    self._post(acme, challenge.uri, challenge.chall.response(acme.net.key))

        self._asked(answered)

    def state(self, url: str) -> OrderState:
        """How it stands (section 7.1.6)."""

        def told(acme: client.ClientV2) -> OrderState:
            body = self._body(acme, url)
            status = str(body.status.name)
            if status not in _STANDINGS:
                raise Refused(f"The CA says that the order is {status[:40]}.")
            standing = cast('Literal["pending", "ready", "processing", "valid", "invalid"]', status)
            if standing == "invalid":
                return OrderState(standing, self._problem(acme, body) or "The CA ended the order.")
            # An order with a proof that failed comes to nothing (section 7.1.6), said of the order or not.
            if standing == "pending" and (problem := self._problem(acme, body)):
                return OrderState("invalid", problem)
            return OrderState(standing)

        return self._asked(told)

    def finalize(self, url: str, csr: bytes) -> None:
        """Hand in the request (section 7.4)."""
        request = messages.CertificateRequest(csr=x509.load_pem_x509_csr(csr))
        self._asked(lambda acme: self._post(acme, self._body(acme, url).finalize, request))

    def download(self, url: str) -> str:
        """The chain (section 7.4.2)."""

        def fetched(acme: client.ClientV2) -> str:
            certificate = self._body(acme, url).certificate
            if certificate is None:
                raise Refused("The CA's order has no certificate.")
            return str(self._post(acme, certificate, None).text)

        return self._asked(fetched)

    def renewal(self, chain: str) -> Window | None:
        """What the CA suggests (RFC 9773 section 4)."""
        return self._asked(lambda acme: self._renewal(acme, chain))

    def revoke(self, chain: str, reason: int) -> None:
        """Revoke the leaf, by the account (section 7.6); for no stated reason where the CA does not take this one."""
        leaf = x509.load_pem_x509_certificates(chain.encode())[0]

        def revoked(acme: client.ClientV2) -> None:
            for code in dict.fromkeys((reason, 0)):
                try:
                    acme.revoke(leaf, code)
                except messages.Error as error:
                    if error.code == "badRevocationReason" and code:
                        continue
                    if error.code != "alreadyRevoked":
                        raise
                return

        self._asked(revoked)

    def _order(self, acme: client.ClientV2, domains: Sequence[str], replaces: str | None) -> tuple[str, Sequence[Proof]]:
        identifiers = [messages.Identifier(typ=messages.IDENTIFIER_FQDN, value=domain) for domain in domains]
        predecessor = _ari_id(replaces) if replaces and "renewalInfo" in acme.directory.to_partial_json() else None
        wanted = NewOrder(identifiers=identifiers, **({"replaces": predecessor} if predecessor else {}))
        try:
            answer = self._post(acme, acme.directory["newOrder"], wanted)
        except errors.ConflictError:  # it was replaced already (RFC 9773 section 5)
            answer = self._post(acme, acme.directory["newOrder"], messages.NewOrder(identifiers=identifiers))
        body, url = messages.Order.from_json(answer.json()), answer.headers.get("Location")
        if not url:
            raise Refused("The CA did not say where the order is.")
        values: dict[str, list[str]] = {}
        for authorization in self._authorizations(acme, body):
            if authorization.status == messages.STATUS_PENDING:
                challenge = _dns01(authorization).chall
                name = challenge.validation_domain_name(authorization.identifier.value)
                values.setdefault(name, []).append(challenge.validation(acme.net.key))
        return str(url), [Proof(name, tuple(texts)) for name, texts in values.items()]

    def _renewal(self, acme: client.ClientV2, chain: str) -> Window | None:
        if "renewalInfo" not in acme.directory.to_partial_json():
            return None
        answer = acme.net.get(f"{acme.directory['renewalInfo']}/{_ari_id(chain)}")
        window = messages.RenewalInfo.from_json(answer.json()).suggested_window
        asked = timedelta(seconds=_seconds(answer.headers.get("Retry-After"), 21_600, self._clock()))
        if window.end < window.start:
            return None
        return Window(window.start.astimezone(UTC), window.end.astimezone(UTC), self._clock() + asked)

    def _problem(self, acme: client.ClientV2, body: messages.Order) -> str:
        """What the CA says was wrong: the order's own error, or the first proof's that failed; empty where nothing was."""
        if body.error is not None:
            return _told(body.error)
        for authorization in self._authorizations(acme, body):
            errors_told = [_told(challenge.error) for challenge in authorization.challenges if challenge.error is not None]
            if authorization.status == messages.STATUS_INVALID:
                return f"{authorization.identifier.value}: {next(iter(errors_told), 'its proof failed')}"
        return ""

    def _body(self, acme: client.ClientV2, url: str) -> messages.Order:
        try:
            return cast("messages.Order", messages.Order.from_json(self._post(acme, url, None).json()))
        except messages.Error as error:
            if error.code == "malformed" or getattr(error, "status", None) == 404:
                raise OrderLost(f"The CA does not know the order: {_told(error)}") from None
            raise

    def _authorizations(self, acme: client.ClientV2, body: messages.Order) -> list[messages.Authorization]:
        """Those of the order; none where it ended and the CA, as OpenBao does, has forgotten them."""
        urls = body.authorizations or ()
        return [messages.Authorization.from_json(self._post(acme, url, None).json()) for url in urls]

    def _post(self, acme: client.ClientV2, url: str, body: Any) -> requests.Response:
        return acme.net.post(url, body, new_nonce_url=acme.directory["newNonce"])

    def _asked(self, ask: Callable[[client.ClientV2], Answer]) -> Answer:
        """Ask, and tell what went wrong in our words. The library's errors hold the request that was signed."""
        try:
            if self._made is None:
                self._made = self._registered()
            return ask(self._made)
        except messages.Error as error:
            failure: Exception = self._refusal(error)
        except (errors.Error, JOSEError, requests.RequestException) as error:
            failure = Unavailable("The certificate authority does not answer as it should.", cause=type(error).__name__)
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            failure = Unavailable("The certificate authority's answer cannot be read.", cause=type(error).__name__)
        raise failure

    def _refusal(self, error: messages.Error) -> Exception:
        if error.code in ("accountDoesNotExist", "unauthorized"):
            self._made = None  # it may have forgotten us: the next call registers again
        if error.code in _PASSING:
            seconds = _seconds(getattr(error, "retry_after", None), 0, self._clock())
            return TryLater(_told(error), until=self._clock() + timedelta(seconds=seconds) if seconds else None)
        return Refused(_told(error), lasting=error.code in _LASTING)

    def _registered(self) -> client.ClientV2:
        """A client with an account: the one that is there for our key, or a new one (sections 7.3, 7.3.1)."""
        account = self._account()
        key = load_pem_private_key(account["account_key"].encode(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise Broken("The account's key is none of P-256.")
        jwk = JWKEC(key=key)
        net = _Network(jwk, self._ca_file)
        acme = client.ClientV2(client.ClientV2.get_directory(self._directory, net), net)
        binding: dict[str, Any] = {}
        if "eab_kid" in account:
            binding["external_account_binding"] = messages.ExternalAccountBinding.from_data(
                jwk.public_key(), account["eab_kid"], account["eab_hmac_key"], acme.directory
            )
        contact = account.get("contact")
        wanted = messages.NewRegistration.from_data(email=contact, terms_of_service_agreed=True, **binding)
        try:
            acme.new_account(wanted)
        except errors.ConflictError as error:
            net.account = messages.RegistrationResource(uri=error.location, body=messages.Registration())
        return acme


class _Network(client.ClientNetwork):
    """The library's network with patience for nonces, time limits, and nothing from the environment."""

    def __init__(self, key: JWK, ca_file: str | None) -> None:
        verified: Any = ca_file or True
        super().__init__(key, alg=ES256, verify_ssl=verified, user_agent=_USER_AGENT, timeout=TIMEOUT_SECONDS)
        self.session.trust_env = False

    def post(self, *args: Any, **kwargs: Any) -> requests.Response:
        """As the library's, with as many fresh nonces as it takes."""
        for left in reversed(range(NONCES)):
            try:
                return self._post_once(*args, **dict(kwargs))
            except messages.Error as error:
                if error.code != "badNonce" or not left:
                    raise
                self._nonces.clear()
        raise Broken("Unreachable.")

    @classmethod
    def _check_response(cls, response: requests.Response, content_type: str | None = None) -> requests.Response:
        try:
            return super()._check_response(response, content_type)
        except messages.Error as error:
            # josepy's objects are immutable to assignment, and the library drops headers.
            object.__setattr__(error, "retry_after", response.headers.get("Retry-After"))
            object.__setattr__(error, "status", response.status_code)
            raise


def _dns01(authorization: messages.Authorization) -> messages.ChallengeBody:
    for challenge in authorization.challenges:
        if isinstance(challenge.chall, challenges.DNS01):
            return challenge
    raise Refused(f"The CA takes no proof by DNS for {authorization.identifier.value}.", lasting=True)


def _ari_id(chain: str) -> str:
    """The identifier of a certificate (RFC 9773 section 4.1)."""
    leaf = x509.load_pem_x509_certificates(chain.encode())[0]
    return client._renewal_info_path_component(leaf)  # noqa: SLF001  the library has it and shows it nowhere


def _told(error: messages.Error) -> str:
    """The CA's words, for operators: its code and detail, printable and short."""
    text = f"{error.code or 'error'}: {error.detail or ''}"
    for sub in error.subproblems or ():
        text += f"; {sub.detail or ''}"
    return "".join(character if character.isprintable() else " " for character in text)[:400]


def _seconds(text: str | None, otherwise: int, now: datetime) -> int:
    """`Retry-After` in seconds (RFC 9110 section 10.2.3), at most a day's."""
    if text is None:
        return otherwise
    if text.isascii() and text.isdigit():
        return min(int(text), 86_400)
    try:
        seconds = (parsedate_to_datetime(text) - now).total_seconds()
    except (TypeError, ValueError):
        return otherwise
    return max(0, min(int(seconds), 86_400))
