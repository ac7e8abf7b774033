"""The functions' client certificates: renewed in time, and not before."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from platforma import bootstrap
from platforma.certificates import ClientPair, renew_client_certificates
from platforma.certificates.client_certificates import is_due
from platforma.kernel.events import Attempt

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def pair(name: str, *, made: datetime, life: timedelta = timedelta(hours=24)) -> ClientPair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number(), made, made + life)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    return ClientPair(pem, "key")


class Issuer:
    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.roots = "root\n"

    def trusted(self) -> str:
        return self.roots

    def issue_client(self, common_name: str, uri: str) -> ClientPair:
        self.asked.append((common_name, uri))
        return pair(common_name, made=NOW)


class Holder(dict[str, ClientPair]):
    roots = "root\n"

    def trusted(self, _function: str) -> str | None:
        return self.roots

    def certificate(self, function: str) -> str | None:
        return self[function].certificate if function in self else None

    def install(self, function: str, new: ClientPair, trusted: str) -> None:
        self[function] = new
        self.roots = trusted


class Outbox(list):
    def enter(self, event) -> None:
        self.append(event)


def renew(holder: Holder, *functions: str, roots: str = "root\n", every: bool = False) -> tuple[list[str], Issuer, Outbox]:
    issuer, outbox = Issuer(), Outbox()
    issuer.roots = roots
    attempt = Attempt("r", "platform.certificates.renew", lambda: NOW, principal_type="system")
    return (
        renew_client_certificates(functions, issuer=issuer, holder=holder, outbox=outbox, attempt=attempt, every=every),
        issuer,
        outbox,
    )


def test_a_certificate_is_good_for_a_day():
    roles = json.loads((ROOT / "infra" / "vault" / "pki_roles.json").read_text())

    assert {(roles[name]["ttl"], roles[name]["max_ttl"]) for name in ("function", "service")} == {("24h", "24h")}


def test_of_hourly_runs_one_renews_before_half_of_the_life_even_if_the_one_before_failed():
    assert is_due(pair("a", made=NOW - timedelta(hours=10)).certificate, NOW)


def test_a_function_gets_the_roots_that_are_trusted_now_while_a_ca_is_replaced():
    holder = Holder(oauth_token=pair("a", made=NOW))

    renewed, _, _ = renew(holder, "oauth_token", roots="root\nnext root\n")

    assert (renewed, holder.roots) == (["oauth_token"], "root\nnext root\n")


def test_an_operator_has_all_renewed_at_once():
    holder = Holder(oauth_token=pair("a", made=NOW), identity_me=pair("b", made=NOW))

    assert renew(holder, "oauth_token", "identity_me")[0] == []
    assert renew(holder, "oauth_token", "identity_me", every=True)[0] == ["oauth_token", "identity_me"]


def test_what_is_past_half_its_life_or_missing_is_renewed():
    young, old = pair("a", made=NOW - timedelta(hours=9)), pair("b", made=NOW - timedelta(hours=12))
    holder = Holder(oauth_token=young, policy_decide=old)

    renewed, issuer, _ = renew(holder, "oauth_token", "policy_decide", "identity_me")

    assert renewed == ["policy_decide", "identity_me"]
    assert issuer.asked[0] == ("fn-policy-decide", "spiffe://platforma/fn/policy_decide")
    assert holder["oauth_token"] is young


def test_each_renewal_has_its_event_without_the_key():
    _, _, outbox = renew(Holder(), "oauth_token", "identity_me")

    assert [event.resource for event in outbox] == ["oauth_token", "identity_me"]
    assert len({event.id for event in outbox}) == 2
    assert all("key" not in str(event.changes) for event in outbox)


def test_a_certificate_that_cannot_be_read_is_due():
    assert is_due("junk", NOW)


def test_every_function_that_vault_knows_is_renewed():
    known = json.loads((ROOT / "infra" / "vault" / "functions.json").read_text())

    assert set(bootstrap.VAULT_FUNCTIONS) == set(known)
