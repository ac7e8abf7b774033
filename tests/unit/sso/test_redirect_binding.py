"""A redirect's signature is over the query as the sender encoded it, which comes here decoded."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, quote_plus

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from hypothesis import given
from hypothesis import strategies as st

from platforma.sso.saml.errors import AssertionRejected
from platforma.sso.saml.redirect_binding import ALGORITHMS, ENCODINGS, require_signed_query
from tests.fakes.identity_provider import Pair, pair

NOW = datetime.now(UTC)
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
MESSAGE = "fZFBa4MwGIb/SvBe+z/+w=="
STATE = "a page~of (ours)! it's *this*, ü&b=c"


def net(text: str) -> str:
    """As .NET's HttpUtility.UrlEncode writes it, which AD FS and Entra ID send: `%2f`, `+`, `!*()` kept, `~` not."""
    made = quote_plus(text, safe="!*()").replace("~", "%7E")
    return "".join(piece if at % 2 == 0 else piece.lower() for at, piece in enumerate(pieces(made)))


def pieces(made: str) -> list[str]:
    """Text and percent-encodings, in turn."""
    first, *rest = made.split("%")
    return [first, *(each for part in rest for each in ("%" + part[:2], part[2:]))]


SENDERS = {
    "RFC 3986": lambda text: quote(text, safe=""),
    "AD FS and Entra ID": net,
    "java.net.URLEncoder": lambda text: quote_plus(text, safe="*").replace("~", "%7E"),
    "PHP": lambda text: quote_plus(text).replace("~", "%7E"),
    "Python and Go": quote_plus,
    "ECMAScript": lambda text: quote(text, safe="!'()*"),
}


def sent(query: str, by: Pair | None = None) -> dict[str, str]:
    """The parameters of *query* and of its signature, as a gateway hands them on."""
    signature = (by or pair()).key.sign(query.encode(), padding.PKCS1v15(), hashes.SHA256())
    return dict(parse_qsl(query)) | {"Signature": base64.b64encode(signature).decode()}


def require(query: dict[str, str], by: Pair | None = None, *, now: datetime = NOW) -> None:
    require_signed_query(query, "SAMLRequest", [(by or pair()).base64], now=now)


@pytest.mark.parametrize("sender", SENDERS)
def test_what_senders_encode_and_sign_holds(sender):
    encode = SENDERS[sender]
    query = f"SAMLRequest={encode(MESSAGE)}&RelayState={encode(STATE)}&SigAlg={encode(RSA_SHA256)}"

    require(sent(query))


def test_lower_case_percent_encodings_hold():
    require(sent(f"SAMLRequest=fZFBa4MwGIb%2fSvBe%2bz%2f%2bw%3d%3d&SigAlg={net(RSA_SHA256)}"))


@pytest.mark.parametrize("relay", ["", "&RelayState="])
def test_no_relay_state_and_an_empty_one_hold(relay):
    require(sent(f"SAMLRequest={quote(MESSAGE, safe='')}{relay}&SigAlg={quote(RSA_SHA256, safe='')}"))


@given(st.text(max_size=40), st.sampled_from(ENCODINGS))
def test_every_encoding_says_what_it_was_made_from(text, encode):
    assert dict(parse_qsl(f"x={encode(text)}", keep_blank_values=True)) == {"x": text}


@pytest.mark.parametrize("name", ["SAMLRequest", "RelayState", "SigAlg"])
def test_a_parameter_changed_after_signing(name):
    encode = SENDERS["AD FS and Entra ID"]
    query = sent(f"SAMLRequest={encode(MESSAGE)}&RelayState={encode(STATE)}&SigAlg={encode(RSA_SHA256)}")
    changed = RSA_SHA256.replace("256", "512") if name == "SigAlg" else query[name] + "A"

    with pytest.raises(AssertionRejected):
        require(query | {name: changed})


def test_a_relay_state_taken_off_or_put_on_after_signing():
    encode = SENDERS["RFC 3986"]
    bare = sent(f"SAMLRequest={encode(MESSAGE)}&SigAlg={encode(RSA_SHA256)}")
    full = sent(f"SAMLRequest={encode(MESSAGE)}&RelayState=r1&SigAlg={encode(RSA_SHA256)}")

    with pytest.raises(AssertionRejected):
        require(bare | {"RelayState": "r1"})
    with pytest.raises(AssertionRejected):
        require({name: value for name, value in full.items() if name != "RelayState"})


def test_a_relay_state_that_hides_parameters_is_none_of_them():
    """A signed query cannot be read as another one whose RelayState holds what its end was, or the other way round."""
    encode = SENDERS["RFC 3986"]
    query = sent(f"SAMLRequest={encode(MESSAGE)}&RelayState=r1&SigAlg={encode(RSA_SHA256)}")

    with pytest.raises(AssertionRejected):
        require(query | {"SAMLRequest": f"{MESSAGE}&RelayState=r1"} | {"RelayState": ""})


@pytest.mark.parametrize("algorithm", ["http://www.w3.org/2000/09/xmldsig#rsa-sha1", "", "none"])
def test_an_algorithm_that_is_not_taken(algorithm):
    query = sent(f"SAMLRequest={quote(MESSAGE, safe='')}&SigAlg={quote(algorithm, safe='')}")

    with pytest.raises(AssertionRejected) as refused:
        require(query | {"SigAlg": algorithm})

    assert "algorithm" in refused.value.why


def test_a_certificate_that_has_ended_is_told_of():
    query = sent(f"SAMLRequest={quote(MESSAGE, safe='')}&SigAlg={quote(RSA_SHA256, safe='')}")

    with pytest.raises(AssertionRejected) as refused:
        require(query, now=NOW + timedelta(days=400))

    assert "expired on" in refused.value.why


@pytest.mark.parametrize("bits", ["256", "384", "512"])
def test_elliptic_curves_sign_as_well(bits):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
    certificate = Pair(key, made.sign(key, hashes.SHA256()))
    algorithm = f"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha{bits}"
    query = f"SAMLRequest={quote(MESSAGE, safe='')}&SigAlg={quote(algorithm, safe='')}"
    signature = key.sign(query.encode(), ec.ECDSA(ALGORITHMS[algorithm][1]))

    require(dict(parse_qsl(query)) | {"Signature": base64.b64encode(signature).decode()}, certificate)
