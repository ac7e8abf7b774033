"""What identity providers gave tenants, at a real OpenBao and by the policies of the functions that keep and destroy it."""

from collections.abc import Callable, Iterator

import pytest

from infra.local.vault import issue_function
from infra.vault.apply import Setup, role_of
from platforma.adapters.client_certificate import ClientCertificate
from platforma.adapters.vault import Vault
from platforma.kernel.errors import Broken, Unavailable
from platforma.kernel.ids import new_id
from tests.contract.openbao import OpenBao

pytestmark = pytest.mark.enable_socket
TENANT, OTHER = new_id("ten"), new_id("ten")


@pytest.fixture(scope="module")
def as_function(tmp_path_factory) -> Iterator[Callable[[str], Vault]]:
    folder = tmp_path_factory.mktemp("bao")
    bao = OpenBao(folder)
    bao.start()
    bao.set_up()
    Setup(bao.root).run()

    def signed_in(function: str) -> Vault:
        pair = issue_function(bao.root, function)
        certificate, key = folder / f"{function}.pem", folder / f"{function}-key.pem"
        certificate.write_text(pair.certificate)
        key.write_text(pair.private_key)
        made = ClientCertificate(certificate, key, bao.authority.file)
        return Vault(bao.addr, role_of(function), lambda: made)

    yield signed_in
    bao.stop()


def test_with_its_tenant_all_of_it_goes_and_nothing_of_another_s(as_function: Callable[[str], Vault]):
    keeps, ends = as_function("sso_connections"), as_function("identity_tenants")
    reads = as_function("sso_sign_in")
    references = [new_id("sso"), new_id("sso")]
    for reference in references:
        keeps.keep_provider_secret(TENANT, reference, "secret")
    keeps.keep_provider_secret(OTHER, references[0], "another")

    ends.forget_provider_secrets(TENANT)
    ends.forget_provider_secrets(TENANT)

    for reference in references:
        with pytest.raises(Unavailable):
            reads.read_provider_secret(TENANT, reference)
    assert reads.read_provider_secret(OTHER, references[0]) == "another"


def test_who_ends_tenants_cannot_read_it(as_function: Callable[[str], Vault]):
    reference = new_id("sso")
    as_function("sso_connections").keep_provider_secret(TENANT, reference, "secret")

    with pytest.raises(Unavailable):
        as_function("identity_tenants").read_provider_secret(TENANT, reference)


@pytest.mark.parametrize("name", ["", "..", "ten_x/../../peppers", "ten_01j0000000e00800000000000%2f", "../platforma", "*"])
def test_a_tenants_name_that_climbs_reaches_nothing(as_function: Callable[[str], Vault], name: str):
    ends = as_function("identity_tenants")

    with pytest.raises(Broken):
        ends.forget_provider_secrets(name)
    with pytest.raises(Broken):
        ends.keep_provider_secret(name, new_id("sso"), "x")
    with pytest.raises(Broken):
        ends.describe(name)
    with pytest.raises(Broken):
        ends.unwrap(name, "identity", b"vault:v1:" + b"A" * 80)
