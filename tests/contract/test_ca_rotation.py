"""The CA is replaced at a real OpenBao: begun, switched, ended, and what is trusted and let in at each step."""

import json
import time
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from infra.local.vault import issue_function
from infra.vault.apply import REQUEST_HEADER, Setup
from platforma.adapters.client_certificate import ClientCertificate
from platforma.adapters.vault import Vault
from platforma.kernel.errors import Unavailable
from platforma.kernel.request import working_on
from tests.contract.openbao import OpenBao

pytestmark = pytest.mark.enable_socket


class Rotated:
    """A Vault set up by infra/vault, and functions that hold certificates of it."""

    def __init__(self, bao: OpenBao, folder: Path) -> None:
        self.bao, self.folder = bao, folder
        self.setup = Setup(bao.root)
        self.setup.run()

    def certificate(self, name: str) -> ClientCertificate:
        """A new one of the function `certificates_renew`, in files of this *name*."""
        pair = issue_function(self.bao.root, "certificates_renew")
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}-key.pem"
        certificate.write_text(pair.certificate)
        key.write_text(pair.private_key)
        return ClientCertificate(certificate, key, self.bao.authority.file)  # Vault's own is of another CA here

    def signed_in(self, certificate: ClientCertificate) -> Vault:
        return Vault(self.bao.addr, "fn-certificates-renew", lambda: certificate)

    def roots(self, certificate: ClientCertificate) -> list[x509.Certificate]:
        return x509.load_pem_x509_certificates(self.signed_in(certificate).trusted().encode())


@pytest.fixture(scope="module")
def rotated(bao: OpenBao, tmp_path_factory) -> Rotated:
    return Rotated(bao, tmp_path_factory.mktemp("certificates"))


def issuer_of(certificate: ClientCertificate) -> bytes:
    leaf = x509.load_pem_x509_certificates(certificate.certificate.read_bytes())[0]
    return leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier or b""


def test_each_step_lets_in_what_it_should_and_nothing_is_refused_on_the_way(rotated: Rotated):
    old = rotated.certificate("old")
    before = rotated.roots(old)
    with pytest.raises(ValueError, match="begun"):
        rotated.setup.switch_ca()
    for step in (rotated.setup.end_ca, rotated.setup.back_ca, rotated.setup.abandon_ca):
        with pytest.raises(ValueError, match="begun"):
            step()

    time.sleep(1)  # certificates tell whole seconds: the next root is to be the younger one
    rotated.setup.begin_ca()
    begun = rotated.certificate("begun")
    with pytest.raises(ValueError, match="under way"):
        rotated.setup.begin_ca()
    with pytest.raises(ValueError, match="switch"):
        rotated.setup.end_ca()
    assert len(before) == 1
    assert [len(rotated.roots(each)) for each in (old, begun)] == [2, 2]
    assert rotated.roots(old)[0] == before[0], "the old root stands first"
    assert issuer_of(begun) == issuer_of(old)
    rotated.setup.run()  # the operator's usual command changes nothing of it

    rotated.setup.switch_ca()
    new = rotated.certificate("new")
    assert [len(rotated.roots(each)) for each in (old, begun, new)] == [2, 2, 2]
    assert issuer_of(new) != issuer_of(old)

    rotated.setup.end_ca()
    assert len(rotated.roots(new)) == 1
    assert rotated.roots(new)[0] != before[0]
    for gone in (old, begun):
        with pytest.raises(Unavailable):
            rotated.roots(gone)


def test_by_its_own_role_it_issues_what_functions_sign_in_with(rotated: Rotated, tmp_path: Path):
    by = rotated.signed_in(rotated.certificate("renewer"))

    pair = by.issue_client("fn-oauth-token", "spiffe://platforma/fn/oauth_token")

    (tmp_path / "new.pem").write_text(pair.certificate)
    (tmp_path / "new-key.pem").write_text(pair.private_key)
    made = ClientCertificate(tmp_path / "new.pem", tmp_path / "new-key.pem", rotated.bao.authority.file)
    leaf, *above = x509.load_pem_x509_certificates(pair.certificate.encode())
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(hours=24, minutes=2)
    assert above
    assert Vault(rotated.bao.addr, "fn-oauth-token", lambda: made).read_secret("peppers")


def test_vaults_own_log_says_which_request_each_call_was_made_for(rotated: Rotated):
    by, log = rotated.signed_in(rotated.certificate("asker")), rotated.bao.home / "audit.log"
    before = len(log.read_text().splitlines())

    working_on("request-of-ours-1")
    by.trusted()
    working_on("not for\r\na header")
    by.trusted()
    working_on("")

    lines = [json.loads(line) for line in log.read_text().splitlines()[before:]]
    told = [line["request"].get("headers", {}).get(REQUEST_HEADER) for line in lines if line["type"] == "request"]
    assert ["request-of-ours-1"] in told
    assert {value for each in told if each for value in each} == {"request-of-ours-1"}


def test_taken_back_it_is_as_it_was(rotated: Rotated):
    before = rotated.certificate("before")
    rotated.setup.begin_ca()
    rotated.setup.switch_ca()
    between = rotated.certificate("between")
    with pytest.raises(ValueError, match="go back"):
        rotated.setup.abandon_ca()
    rotated.setup.back_ca()
    after_all = rotated.certificate("after all")
    assert [len(rotated.roots(each)) for each in (before, between, after_all)] == [2, 2, 2], "nobody is locked out"
    assert issuer_of(after_all) == issuer_of(before)

    rotated.setup.abandon_ca()

    assert [len(rotated.roots(each)) for each in (before, after_all)] == [1, 1]
    assert issuer_of(rotated.certificate("after")) == issuer_of(before)
    with pytest.raises(Unavailable):
        rotated.roots(between)


def test_and_it_can_be_done_again(rotated: Rotated):
    rotated.setup.run()
    for step in (rotated.setup.begin_ca, rotated.setup.switch_ca, rotated.setup.end_ca):
        step()

    assert len(rotated.roots(rotated.certificate("again"))) == 1
