"""
A message that came by redirect: deflated, in base64, and with a signature of its own (SAML bindings section 3.4.4.1).

What that signs are the query's octets as the sender encoded them. A REST API hands a function its parameters decoded, and
the query as it was sent nowhere (API Gateway's proxy event has neither a raw path nor a raw query). So the octets are made
again, in each of the ways in which senders encode: they differ in the letters of percent-encodings, in how a space is
written, and in which marks are left as they are. Each of them decodes to the values that are acted upon, so that whatever a
signature covers says just that, and trying several lets nobody say anything else.
"""

import zlib
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from platforma.sso.saml.errors import AssertionRejected
from platforma.sso.saml.xml import MAX_BYTES

_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_HASHES: Mapping[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
ALGORITHMS = {f"{_MORE}{kind}-sha{bits}": (kind, made) for kind in ("rsa", "ecdsa") for bits, made in _HASHES.items()}
"""Those of RFC 6931 that are taken: SHA-2, and never SHA-1."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """One way to write a value: besides letters, digits and `-_.` the marks of *kept* stand as they are."""

    kept: str
    space: str = "+"
    lower: bool = False

    def __call__(self, text: str) -> str:
        """*text* as it stands in the query."""
        return "".join(self._written(character) for character in text)

    def _written(self, character: str) -> str:
        if character == " ":
            return self.space
        if character == "~":  # which `quote` always keeps
            made = "~" if "~" in self.kept else "%7E"
        else:
            made = quote(character, safe=self.kept, errors="surrogatepass")
        return made.lower() if self.lower and made.startswith("%") else made


ENCODINGS = (
    Encoding("~", "%20"),  # RFC 3986 section 2
    Encoding("!*()", lower=True),  # .NET HttpUtility: AD FS, Entra ID
    Encoding("*"),  # the URL standard's form, java.net.URLEncoder: OpenSAML (Shibboleth), Keycloak, Okta
    Encoding(""),  # PHP urlencode: SimpleSAMLphp
    Encoding("~"),  # Python urlencode, Go QueryEscape: pysaml2
    Encoding("~!'()*", "%20"),  # ECMAScript encodeURIComponent: samlp, node-saml
    Encoding("!*()"),  # .NET WebUtility
    Encoding("~", "%20", lower=True),
)


def decoded(text: str) -> bytes:
    """
    What *text* is in base64.

    Raises:
        AssertionRejected: it is none.
    """
    try:
        return b64decode("".join(text.split()), validate=True)
    except (NotBase64, ValueError):
        raise AssertionRejected("The message is not in base64.") from None


def inflated(raw: bytes) -> bytes:
    """
    The message, never more of it than a message may have: what deflates well may inflate without end.

    Raises:
        AssertionRejected: it is not deflated (RFC 1951), or too large.
    """
    inflater = zlib.decompressobj(wbits=-15)
    try:
        message = inflater.decompress(raw, MAX_BYTES + 1)
    except zlib.error:
        raise AssertionRejected("The message is not deflated.") from None
    if len(message) > MAX_BYTES or inflater.unconsumed_tail:
        raise AssertionRejected("The message is too large.")
    return message


def require_signed_query(sent: Mapping[str, str], name: str, certificates: Sequence[str], *, now: datetime) -> None:
    """
    Require that a key of the provider's signed the query that carries the message *name*. *certificates* are base64 of DER.

    Raises:
        AssertionRejected: there is no signature, by an algorithm that is taken, or none of the provider's that is in force.
    """
    algorithm = sent.get("SigAlg", "")
    if "Signature" not in sent:
        raise AssertionRejected("The message is not signed.")
    if algorithm not in ALGORITHMS:
        raise AssertionRejected("The message is signed by an algorithm that is not taken.")
    signature = decoded(sent["Signature"])
    known = [x509.load_der_x509_certificate(b64decode(each)) for each in certificates]
    for query in dict.fromkeys(_queries(sent, name)):
        for certificate in known:
            if not _signed_by(certificate.public_key(), algorithm, signature, query.encode()):
                continue
            begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
            if not begin <= now < end:
                raise AssertionRejected(f"The identity provider signed with a certificate that expired on {end:%Y-%m-%d}.")
            return
    raise AssertionRejected("The signature is not one of the identity provider's, by any certificate in its metadata.")


def _queries(sent: Mapping[str, str], name: str) -> Iterator[str]:
    """What may have been signed: message, RelayState where there is one, and algorithm, in this order."""
    for encode in ENCODINGS:
        message, algorithm = f"{name}={encode(sent[name])}", f"SigAlg={encode(sent['SigAlg'])}"
        if "RelayState" in sent:
            yield f"{message}&RelayState={encode(sent['RelayState'])}&{algorithm}"
        else:
            yield f"{message}&{algorithm}"
            yield f"{message}&RelayState=&{algorithm}"  # sent empty, which is as if it were not sent


def _signed_by(key: object, algorithm: str, signature: bytes, query: bytes) -> bool:
    kind, digest = ALGORITHMS[algorithm]
    try:
        if kind == "rsa" and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, query, padding.PKCS1v15(), digest)
            return True
        if kind == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, query, ec.ECDSA(digest))
            return True
    except InvalidSignature:
        pass
    return False
