"""A service outside keeps its own client certificate by Vault's agent, as infra/samples/service-agent.hcl has it do."""

import os
import ssl
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hvac
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from infra.vault.apply import Setup, put, service_pki_role
from tests.contract.openbao import BINARY, OpenBao

pytestmark = pytest.mark.enable_socket
SAMPLE = Path(__file__).parents[2] / "infra" / "samples" / "service-agent.hcl"
LIFE = timedelta(seconds=20)


@pytest.fixture(scope="module")
def setup(bao: OpenBao) -> Setup:
    made = Setup(bao.root)
    made.run()
    return made


@pytest.fixture
def folder(bao: OpenBao, setup: Setup, tmp_path: Path) -> Path:
    """What the operator hands to the service."""
    made = tmp_path / "first"
    put(made, setup.service("billing") | {"ca.pem": bao.authority.file.read_text()})
    return made


@pytest.fixture
def agent(bao: OpenBao, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The sample's agent, where its files and Vault are this test's."""
    text = SAMPLE.read_text().replace("/etc/platforma", str(folder)).replace("https://vault.example.com:8200", bao.addr)
    (folder / "agent.hcl").write_text(text)
    with (folder / "log").open("wb") as log:
        command = [str(BINARY), "agent", f"-config={folder / 'agent.hcl'}"]
        environment = {"HOME": str(folder), "PATH": os.defpath}
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    yield process
    process.terminate()
    process.wait(20)


def held(folder: Path) -> x509.Certificate:
    """The certificate that the service has; its key beside it is its own, in every moment."""
    text = (folder / "client.pem").read_bytes()
    leaf = x509.load_pem_x509_certificates(text)[0]
    assert load_pem_private_key(text, None).public_key() == leaf.public_key()
    return leaf


def test_it_has_the_next_one_before_half_of_its_life_and_goes_on_past_the_end_of_the_first(
    bao: OpenBao, setup: Setup, folder: Path, agent: "subprocess.Popen[bytes]"
):
    lasts = {"ttl": f"{LIFE.seconds}s", "max_ttl": f"{LIFE.seconds}s"}
    setup.write("pki/roles/service-billing", service_pki_role("billing") | lasts)
    setup.write("auth/cert/certs/service-billing", {"token_ttl": "5s", "token_max_ttl": "5s"})  # it signs in again and again
    known, began, seen = held(folder), datetime.now(UTC), []
    while len(seen) < 4 or datetime.now(UTC) < seen[0][0].not_valid_after_utc:
        assert datetime.now(UTC) < began + timedelta(minutes=3), (folder / "log").read_text()
        assert agent.poll() is None, (folder / "log").read_text()
        if (now := held(folder)).serial_number != known.serial_number:
            if seen:  # the first of all lasts a day
                seen[-1] = (known, known.not_valid_after_utc - datetime.now(UTC))
            known = now
            seen.append((now, LIFE))
        time.sleep(0.2)

    left = [remaining for _, remaining in seen[:-1]]
    assert all(remaining > LIFE * 0.3 for remaining in left), left
    uris = known.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert uris.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://platforma/service/billing"]
    assert (folder / "client.pem").stat().st_mode & 0o777 == 0o600
    # What it verifies others with are the roots, as Vault names them; whoever takes the file as it is has a working pair.
    assert (folder / "roots.pem").read_text().strip() == "".join(setup.roots().values()).strip()
    context = ssl.create_default_context(cafile=str(folder / "roots.pem"))
    context.load_cert_chain(folder / "client.pem")


def test_while_the_ca_is_replaced_it_signs_in_by_certificates_of_both(bao: OpenBao, setup: Setup, folder: Path):
    setup.begin_ca()
    setup.switch_ca()
    (folder / "new.pem").write_text(setup.first_certificate("billing"))

    for name in ("client.pem", "new.pem"):
        assert issued(bao, folder / name, "billing", "billing")
    setup.back_ca()
    setup.abandon_ca()


@pytest.mark.parametrize(
    ("role", "name", "uri"),
    [
        ("service-billing", "billing", "shipping"),
        ("service-billing", "shipping", "billing"),
        ("service", "billing", "billing"),
        ("function", "fn-oauth-token", "billing"),
    ],
)
def test_it_gets_nobody_elses(bao: OpenBao, setup: Setup, folder: Path, role: str, name: str, uri: str):
    with pytest.raises((hvac.exceptions.Forbidden, hvac.exceptions.InvalidRequest)):
        issued(bao, folder / "client.pem", name, uri, role=role)


def test_by_anothers_certificate_nobody_is_this_service(bao: OpenBao, setup: Setup, folder: Path):
    (folder / "other.pem").write_text(setup.first_certificate("shipping"))

    with pytest.raises(hvac.exceptions.VaultError):
        issued(bao, folder / "other.pem", "billing", "billing")


def test_where_its_role_is_deleted_a_pair_that_leaked_gets_no_other(bao: OpenBao, setup: Setup, folder: Path):
    bao.root.adapter.delete("/v1/auth/cert/certs/service-billing")
    setup.run()  # the operator's usual command does not bring it back

    with pytest.raises(hvac.exceptions.VaultError):
        issued(bao, folder / "client.pem", "billing", "billing")


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a/b", "../function", "a.b", "a" * 64])
def test_what_can_be_no_services_name_gets_nothing(setup: Setup, name: str):
    with pytest.raises(ValueError, match="name"):
        setup.service(name)


def issued(bao: OpenBao, pair: Path, name: str, uri: str, *, role: str = "service-billing") -> str:
    """What this pair's holder is issued under this role of Vault's PKI."""
    client = hvac.Client(url=bao.addr, token="", verify=str(bao.authority.file), cert=(str(pair), str(pair)))
    try:
        client.auth.cert.login(name="service-billing")
        asked = {"common_name": name, "exclude_cn_from_sans": "true", "uri_sans": f"spiffe://platforma/service/{uri}"}
        return str(client.write_data(f"pki/issue/{role}", data=asked)["data"]["certificate"])
    finally:
        client.adapter.close()
