"""
Access tokens that an attacker would like us to take.

After RFC 8725 and published advisories: `alg: none` and algorithm confusion (CVE-2015-9235, CVE-2016-10555, CVE-2022-29217),
embedded and remote keys (CVE-2018-0114), unknown critical headers (CVE-2025-59420), key ids that are more than ids.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from platforma.adapters.memory.keys import MemoryDataKeys, MemorySigningKeyStore
from platforma.kernel.errors import Unavailable
from platforma.kernel.events import Attempt
from platforma.keys.envelope import Envelope
from platforma.keys.errors import UnknownSigningKey
from platforma.keys.signing import SigningKeys, ensure_signing_keys
from platforma.oauth import compact_jws, verify_access_token
from platforma.oauth.errors import InvalidToken

ISSUER = "https://id.platforma.test"
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())
CLAIMS = {
    "iss": ISSUER,
    "sub": "cli_01",
    "aud": ISSUER,
    "exp": EPOCH + 3600,
    "iat": EPOCH,
    "jti": "j",
    "client_id": "cli_01",
    "scope": "orders:read",
    "tenant_id": "ten_01",
    "roles": [],
}


def clock():
    return NOW


@pytest.fixture(scope="module")
def signing_keys():
    store, envelope = MemorySigningKeyStore(), Envelope(MemoryDataKeys(), clock)
    ensure_signing_keys(store, envelope, attempt=Attempt("req", "platform.setup.run", clock), clock=clock)
    return SigningKeys(store, envelope, clock)


@pytest.fixture(scope="module")
def active(signing_keys):
    return signing_keys.active()


@pytest.fixture
def refused(signing_keys):
    def asked(token):
        with pytest.raises(InvalidToken) as error:
            verify_access_token(token, signing_keys=signing_keys, issuer=ISSUER, clock=clock)
        return error.value

    return asked


@pytest.fixture
def header(active):
    return {"alg": "ES256", "typ": "at+jwt", "kid": active.kid}


@pytest.fixture
def signed(active, header):
    """A token of this header and payload (objects, or the bytes themselves), signed with our key unless another is given."""

    def made(payload=CLAIMS, head=None, key=active.private_key):
        parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (head or header, payload)]
        signing_input = ".".join(b64(part) for part in parts)
        return f"{signing_input}.{b64(es256(signing_input, key))}"

    return made


def b64(raw):
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def es256(signing_input, key):
    r, s = decode_dss_signature(key.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def test_the_token_that_all_others_here_are_made_from_is_good(signed, signing_keys):
    token = verify_access_token(signed(), signing_keys=signing_keys, issuer=ISSUER, clock=clock)

    assert (token.sub, token.scope) == ("cli_01", ("orders:read",))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
@pytest.mark.parametrize("keeps_signature", [True, False])
def test_a_token_without_a_signature_is_refused(signed, header, refused, alg, keeps_signature):
    token = signed(head={**header, "alg": alg})

    refused(token if keeps_signature else token.rsplit(".", 1)[0] + ".")


@pytest.mark.parametrize("form", ["pem", "der", "jwk", "point"])
def test_the_public_key_is_no_hmac_secret(active, header, refused, form):
    public = active.private_key.public_key()
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    numbers = public.public_numbers()
    secret = {
        "pem": public.public_bytes(serialization.Encoding.PEM, info),
        "der": public.public_bytes(serialization.Encoding.DER, info),
        "jwk": json.dumps(
            {"crv": "P-256", "kty": "EC", "x": b64(numbers.x.to_bytes(32)), "y": b64(numbers.y.to_bytes(32))}
        ).encode(),
        "point": public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint),
    }[form]
    signing_input = f"{b64(json.dumps({**header, 'alg': 'HS256'}).encode())}.{b64(json.dumps(CLAIMS).encode())}"

    refused(f"{signing_input}.{b64(hmac.digest(secret, signing_input.encode(), hashlib.sha256))}")


@pytest.mark.parametrize(
    "alg", ["HS256", "RS256", "PS256", "ES384", "ES512", "ES256K", "EdDSA", "es256", ["ES256"], None, 1, {}]
)
def test_no_other_algorithm_is_taken_even_over_a_good_signature(signed, header, refused, alg):
    refused(signed(head={**header, "alg": alg}))


def test_a_foreign_key_under_our_kid_is_refused(signed, refused):
    refused(signed(key=ec.generate_private_key(ec.SECP256R1())))


@pytest.mark.parametrize(
    "kid",
    [
        "",
        "unknown",
        "../../../../dev/null",
        "' UNION SELECT 'x",
        "x\u0000y",
        "$(id)",
        "https://evil.test/jwks.json",
        "{}",
        "\ud800",
        "k" * 4000,
        None,
        0,
        True,
        ["a"],
        {"S": "x"},
    ],
)
def test_a_kid_is_only_ever_one_of_ours(signed, header, refused, kid):
    refused(signed(head={**header, "kid": kid}, key=ec.generate_private_key(ec.SECP256R1())))


def test_a_token_without_kid_is_refused(signed, refused):
    refused(signed(head={"alg": "ES256", "typ": "at+jwt"}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("jku", "https://evil.test/jwks.json"),
        ("x5u", "https://evil.test/chain.pem"),
        ("x5c", ["MIIB"]),
        ("x5t", "x"),
        ("jwk", {"kty": "EC"}),
        ("crit", ["exp"]),
        ("crit", []),
        ("crit", ["b64"]),
        ("b64", False),
        ("zip", "DEF"),
        ("cty", "JWT"),
        ("enc", "A256GCM"),
        ("p2c", 2147483647),
    ],
)
def test_a_header_that_is_not_ours_is_refused_over_a_good_signature(signed, header, refused, name, value):
    refused(signed(head={**header, name: value}))


def test_an_embedded_key_signs_nothing(signed, header, refused):
    mine = ec.generate_private_key(ec.SECP256R1())
    numbers = mine.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32)), "y": b64(numbers.y.to_bytes(32))}

    refused(signed(head={**header, "jwk": jwk}, key=mine))
    refused(signed(key=mine))


@pytest.mark.parametrize("typ", ["JWT", "at+JWT", "application/at+jwt", "logout+jwt", "dpop+jwt", "", None, ["at+jwt"]])
def test_a_token_of_another_type_is_refused(signed, header, refused, typ):
    refused(signed(head={**header, "typ": typ}))


def test_a_member_that_stands_twice_in_the_header_is_refused(signed, header, refused):
    once = json.dumps(header)[1:-1]

    refused(signed(head=f'{{{once},"alg":"ES256"}}'.encode()))
    refused(signed(head=f'{{"alg":"none",{once}}}'.encode()))


@pytest.mark.parametrize("name", ["sub", "aud", "exp", "tenant_id", "scope"])
def test_a_claim_that_stands_twice_is_refused(signed, refused, name):
    again = json.dumps({name: CLAIMS[name]})[1:-1]

    refused(signed(f"{{{again},{json.dumps(CLAIMS)[1:-1]}}}".encode()))


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_a_claim_that_is_missing_is_refused(signed, refused, name):
    refused(signed({other: value for other, value in CLAIMS.items() if other != name}))


@pytest.mark.parametrize("name", sorted(CLAIMS))
@pytest.mark.parametrize("value", [None, True, 1.5, {}, [1], [[]]])
def test_a_claim_of_another_kind_is_refused(signed, refused, name, value):
    refused(signed({**CLAIMS, name: value}))


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
def test_a_time_in_quotes_is_refused(signed, refused, name):
    refused(signed({**CLAIMS, name: str(EPOCH)}))


@pytest.mark.parametrize("aud", ["https://other.test", ISSUER + "/", [ISSUER], [ISSUER, "https://other.test"], "cli_01"])
def test_a_token_for_another_audience_is_refused(signed, refused, aud):
    refused(signed({**CLAIMS, "aud": aud}))


def test_a_token_is_good_only_where_it_is_meant_for(signed, signing_keys, refused):
    theirs = signed({**CLAIMS, "aud": "https://api.test"})

    def there(token, registered=("ten_01", "https://api.test")):
        return verify_access_token(
            token, signing_keys=signing_keys, issuer=ISSUER, clock=clock, is_audience=lambda *asked: asked == registered
        )

    assert there(theirs).audience == "https://api.test"
    refused(theirs)
    with pytest.raises(InvalidToken):
        there(signed())
    with pytest.raises(InvalidToken):
        there(theirs, registered=("ten_02", "https://api.test"))


def test_an_audience_is_not_looked_up_for_a_forged_token(signed, signing_keys):
    asked = []

    with pytest.raises(InvalidToken):
        verify_access_token(
            signed(key=ec.generate_private_key(ec.SECP256R1())),
            signing_keys=signing_keys,
            issuer=ISSUER,
            clock=clock,
            is_audience=lambda *names: asked.append(names) or True,
        )

    assert asked == []


@pytest.mark.parametrize("iss", ["https://evil.test", ISSUER + "/", ISSUER.upper(), "http://id.platforma.test"])
def test_a_token_of_another_issuer_is_refused(signed, refused, iss):
    refused(signed({**CLAIMS, "iss": iss}))


@pytest.mark.parametrize("times", [{"exp": EPOCH}, {"exp": EPOCH - 1}, {"exp": 0}, {"exp": -(10**30)}, {"iat": 10**400}])
def test_an_expired_token_is_refused_to_the_second(signed, refused, times):
    refused(signed({**CLAIMS, **times}))


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_a_token_of_the_future_is_refused_beyond_ten_seconds(signed, signing_keys, refused, name):
    near, far = signed({**CLAIMS, name: EPOCH + 10}), signed({**CLAIMS, name: EPOCH + 11})

    assert verify_access_token(near, signing_keys=signing_keys, issuer=ISSUER, clock=clock)
    refused(far)


def test_one_changed_character_anywhere_is_refused(signed, refused):
    token = signed()

    for position in range(0, len(token), 7):
        refused(token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :])


def test_the_last_character_has_one_form_only(signed, refused):
    """64 bytes leave four bits of the last character unused: other values of them are other texts of one signature."""
    token = signed()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    value = alphabet.index(token[-1])

    for other in range(1, 16):
        refused(token[:-1] + alphabet[value ^ other])


@pytest.mark.parametrize("change", ["{}=", "{}\n", " {}", "{}.", ".{}", "{}.x", "Bearer {}", "{} "])
def test_what_stands_around_a_token_is_not_overlooked(signed, refused, change):
    refused(change.format(signed()))


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "é.é.é",
        "\ud800",
        "e30.e30.e30",
        "bnVsbA.e30.",
        "W10.e30.AA",
        "{}.{}.{}",
        '{"payload":"e30","signatures":[]}',
    ],
)
def test_what_is_no_token_is_refused(refused, token):
    refused(token)


@pytest.mark.parametrize("payload", [b"[]", b"null", b"NaN", b"\xff", b"", b'{"a":' * 1100, b"[" * 5000, b'"x"'])
def test_a_signed_payload_that_is_no_object_is_refused(signed, refused, payload):
    refused(signed(payload))


@pytest.mark.parametrize(
    "head", [b'{"a":' * 1100, b"[" * 5000, b"{" + b'"a":1,' * 700, b'{"alg":NaN}', b"9" * 5000, b"\xef\xbb\xbf{}"]
)
def test_a_header_made_to_hurt_a_parser_is_refused(refused, head):
    refused(f"{b64(head)}.e30.AA")


def test_a_token_over_eight_kibibytes_is_refused_before_it_is_read(signed, refused):
    refused(signed({**CLAIMS, "padding": "x" * 6200}))
    refused("a" * 10_000_000)


@pytest.mark.parametrize("signature", [b"", bytes(64), bytes(63), bytes(65), b"\xff" * 64])
def test_a_signature_of_no_numbers_is_refused(signed, refused, signature):
    """Zero as r and s verified everything in one implementation (CVE-2022-21449)."""
    refused(f"{signed().rsplit('.', 1)[0]}.{b64(signature)}")


def test_a_signature_in_der_is_refused(active, signed, refused):
    signing_input = signed().rsplit(".", 1)[0]

    refused(f"{signing_input}.{b64(active.private_key.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256())))}")


def test_every_refusal_says_the_same(signed, header, refused):
    told = {
        (error.code, error.detail, error.challenge, str(error.facts))
        for error in (
            refused("x"),
            refused(signed({**CLAIMS, "exp": 1})),
            refused(signed({**CLAIMS, "aud": "x"})),
            refused(signed(head={**header, "kid": "x"})),
            refused(signed(key=ec.generate_private_key(ec.SECP256R1()))),
        )
    }

    assert len(told) == 1


def test_made_up_kids_cannot_make_us_read_the_keys_each_time(active, signed, header):
    store, envelope = MemorySigningKeyStore(), Envelope(MemoryDataKeys(), clock)
    ensure_signing_keys(store, envelope, attempt=Attempt("req", "platform.setup.run", clock), clock=clock)
    keys, before = SigningKeys(store, envelope, clock), store.reads

    for number in range(20):
        with pytest.raises(InvalidToken):
            verify_access_token(signed(head={**header, "kid": f"k{number}"}), signing_keys=keys, issuer=ISSUER, clock=clock)

    assert store.reads - before == 1


def test_without_the_key_set_a_token_is_neither_good_nor_bad(signed):
    class Gone:
        def public(self, kid):
            raise Unavailable

    with pytest.raises(Unavailable):
        verify_access_token(signed(), signing_keys=Gone(), issuer=ISSUER, clock=clock)


def test_of_a_token_shown_again_only_the_signature_is_taken_as_known(signed, signing_keys, refused, monkeypatch):
    """And that only under the very key that it held under: times, the key set and every byte are looked at each time."""
    token = signed({**CLAIMS, "jti": "again"})
    computed = []
    inner = compact_jws._require_signed
    monkeypatch.setattr(compact_jws, "_require_signed", lambda *asked: computed.append(asked) or inner(*asked))

    def shown(*, keys=signing_keys, at=clock):
        return verify_access_token(token, signing_keys=keys, issuer=ISSUER, clock=at)

    assert [shown(), shown()] == [shown(), shown()]
    assert len(computed) == 1

    class Replaced:
        """A key of another's under the same kid, or none any more."""

        key = None

        def public(self, kid):
            if self.key is None:
                raise UnknownSigningKey
            return self.key

    with pytest.raises(InvalidToken):
        shown(keys=Replaced())
    with pytest.raises(InvalidToken):
        shown(at=lambda: NOW + timedelta(hours=1))
    Replaced.key = replace(
        signing_keys.public(kid_of(token)), public_key=ec.generate_private_key(ec.SECP256R1()).public_key()
    )
    with pytest.raises(InvalidToken):
        shown(keys=Replaced())
    refused(token[:-8] + ("A" if token[-8] != "A" else "B") + token[-7:])


def test_a_signature_that_did_not_hold_is_never_known(signed, refused):
    forged = signed(key=ec.generate_private_key(ec.SECP256R1()))

    refused(forged)
    refused(forged)


def test_what_is_known_to_hold_is_bounded(signed, signing_keys, monkeypatch):
    monkeypatch.setattr(compact_jws, "MAX_HELD", 3)

    for number in range(10):
        token = signed({**CLAIMS, "jti": str(number)})
        verify_access_token(token, signing_keys=signing_keys, issuer=ISSUER, clock=clock)

    assert len(compact_jws._HELD) == 3


def kid_of(token):
    return compact_jws.parse_compact(token).header["kid"]
