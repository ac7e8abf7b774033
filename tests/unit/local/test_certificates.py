import datetime as dt
import stat

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from infra.local import certificates
from infra.local.certificates import Pair


@pytest.fixture
def root(tmp_path):
    root = Pair(tmp_path / "ca.pem", tmp_path / "ca-key.pem")
    certificates.ensure_root(root)
    return root


def leaf_of(root, **more):
    leaf = Pair(root.certificate.with_name("leaf.pem"), root.certificate.with_name("leaf-key.pem"))
    certificates.ensure_leaf(leaf, root, common_name="localhost", **more)
    return leaf


def loaded(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_a_servers_certificate_verifies_strictly_under_the_root(root):
    leaf = leaf_of(root, server=True)

    verifier = PolicyBuilder().store(Store([loaded(root.certificate)])).build_server_verifier(x509.DNSName("localhost"))

    assert len(verifier.verify(loaded(leaf.certificate), [])) == 2


def test_a_clients_certificate_verifies_and_carries_its_uri(root):
    leaf = leaf_of(root, server=False, uri="spiffe://platforma/operator")

    verified = (
        PolicyBuilder().store(Store([loaded(root.certificate)])).build_client_verifier().verify(loaded(leaf.certificate), [])
    )

    assert [name.value for name in verified.subjects] == ["spiffe://platforma/operator"]


def test_the_root_is_made_once(root):
    before = root.certificate.read_bytes()

    certificates.ensure_root(root)

    assert root.certificate.read_bytes() == before


def test_a_fresh_certificate_is_kept(root):
    before = leaf_of(root, server=True).certificate.read_bytes()

    assert leaf_of(root, server=True).certificate.read_bytes() == before


def test_a_certificate_past_half_its_life_is_renewed(root, monkeypatch):
    monkeypatch.setattr(certificates, "LEAF_LIFETIME", dt.timedelta(seconds=50))
    before = leaf_of(root, server=True).certificate.read_bytes()

    assert leaf_of(root, server=True).certificate.read_bytes() != before


def test_keys_are_ours_alone(root):
    assert stat.S_IMODE(root.key.stat().st_mode) == 0o600
