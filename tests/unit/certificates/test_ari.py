"""What an authority suggests (RFC 9773), as our client reads it and says it again when it orders."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from acme import client, messages
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from platforma.adapters.acme import ACME
from platforma.kernel.errors import Unavailable

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
URLS = {name: f"https://ca.test/{name}" for name in ("newNonce", "newAccount", "newOrder", "renewalInfo")}


def chain() -> str:
    """A certificate with the key identifier and serial number of the example in RFC 9773 section 4.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ARI")])
    identifier = bytes.fromhex("69885b6b87464041e1b37b847bd0ae2cde01c8d4")
    authority = x509.AuthorityKeyIdentifier(identifier, None, None)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 0x87654321, NOW, NOW + timedelta(days=90))
    made = builder.add_extension(authority, critical=False).sign(key, hashes.SHA256())
    return made.public_bytes(Encoding.PEM).decode()


class Network:
    """Answers what it is given, and keeps what it was asked."""

    def __init__(self, answer: object, headers: dict[str, str] | None = None) -> None:
        self.asked: list[tuple[str, object]] = []
        self._answer, self._headers = answer, headers or {}

    def get(self, url: str) -> SimpleNamespace:
        self.asked.append((url, None))
        return SimpleNamespace(json=lambda: self._answer, headers=self._headers)

    def post(self, url: str, body: messages.NewOrder | None, **_: object) -> SimpleNamespace:
        self.asked.append((url, json.loads(body.json_dumps()) if body else None))
        order = {"status": "ready", "authorizations": [], "finalize": "https://ca.test/f", "identifiers": []}
        return SimpleNamespace(json=lambda: order, headers={"Location": "https://ca.test/order/1"})


def authority(network: Network, urls: dict[str, str] = URLS) -> ACME:
    made = ACME("https://ca.test/directory", dict, clock=lambda: NOW)
    made._made = client.ClientV2(messages.Directory.from_json(urls), network)
    return made


def suggested(start: str, end: str) -> dict[str, dict[str, str]]:
    return {"suggestedWindow": {"start": start, "end": end}}


def test_the_window_is_asked_for_at_the_certificates_own_path_and_again_when_told():
    network = Network(suggested("2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z"), {"Retry-After": "3600"})

    window = authority(network).renewal(chain())

    assert network.asked[0][0] == "https://ca.test/renewalInfo/aYhba4dGQEHhs3uEe9CuLN4ByNQ.AIdlQyE"
    assert (window.start, window.end) == (datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 2, tzinfo=UTC))
    assert window.ask_at == NOW + timedelta(hours=1)


def test_without_a_word_it_is_asked_every_six_hours():
    network = Network(suggested("2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z"))

    assert authority(network).renewal(chain()).ask_at == NOW + timedelta(hours=6)


def test_a_window_that_ends_before_it_begins_is_none():
    network = Network(suggested("2026-12-02T00:00:00Z", "2026-12-01T00:00:00Z"))

    assert authority(network).renewal(chain()) is None


@pytest.mark.parametrize("answer", [{}, {"suggestedWindow": {}}, {"suggestedWindow": {"start": "x", "end": "y"}}])
def test_what_cannot_be_read_is_unavailable(answer: object):
    with pytest.raises(Unavailable):
        authority(Network(answer)).renewal(chain())


def test_an_order_says_what_it_replaces_where_the_authority_knows_that():
    network, plain = Network({}), Network({})

    authority(network).order(["a.test"], chain())
    authority(plain, {name: url for name, url in URLS.items() if name != "renewalInfo"}).order(["a.test"], chain())

    assert network.asked[0][1]["replaces"] == "aYhba4dGQEHhs3uEe9CuLN4ByNQ.AIdlQyE"
    assert "replaces" not in plain.asked[0][1]
