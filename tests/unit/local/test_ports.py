import pytest

from infra.local.ports import Ports
from infra.local.progress import StepFailed


def test_ports_are_the_contracts_where_nothing_is_said(monkeypatch):
    for name in ("PLATFORMA_PORT", "PLATFORMA_INTERNAL_PORT", "PLATFORMA_AWS_PORT", "PLATFORMA_VAULT_PORT"):
        monkeypatch.delenv(name, raising=False)

    assert Ports.from_environment() == Ports(edge=8443, internal=8444, aws=4566, vault=8200)


def test_each_variable_moves_its_port(monkeypatch):
    for name, port in (("PORT", "1"), ("INTERNAL_PORT", "2"), ("AWS_PORT", "3"), ("VAULT_PORT", "4")):
        monkeypatch.setenv(f"PLATFORMA_{name}", port)

    assert Ports.from_environment() == Ports(1, 2, 3, 4)


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "1.5", "٣"])
def test_what_is_no_port_is_refused(monkeypatch, text):
    monkeypatch.setenv("PLATFORMA_PORT", text)

    with pytest.raises(StepFailed, match="PLATFORMA_PORT"):
        Ports.from_environment()


def test_two_servers_never_share_a_port(monkeypatch):
    monkeypatch.setenv("PLATFORMA_PORT", "8200")
    monkeypatch.delenv("PLATFORMA_VAULT_PORT", raising=False)

    with pytest.raises(StepFailed, match="the same"):
        Ports.from_environment()
