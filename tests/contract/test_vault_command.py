"""`infra/vault/apply.py` as an operator runs it: against a real OpenBao, and Secrets Manager (moto)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.vault import apply
from platforma.adapters.client_certificate import ClientCertificate
from platforma.adapters.vault_session import login
from tests.contract.openbao import OpenBao

pytestmark = pytest.mark.enable_socket
PREFIX = "platforma/vault"


@pytest.fixture(scope="module")
def command(bao: OpenBao, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The arguments of whoever holds the operator's certificate; Vault's own is of the root that is imported."""
    bao.root.sys.create_or_update_policy("operator", (apply.HERE / "policies" / "operator.hcl").read_text())
    bao.allow("operator", policy="operator")
    pair = bao.client("operator")
    bundle = tmp_path_factory.mktemp("root") / "bundle.pem"
    bundle.write_text(bao.authority.bundle())
    given = ("--ca", pair.ca, "--cert", pair.certificate, "--key", pair.private_key, "--root-bundle", bundle)
    return ["--addr", bao.addr, *map(str, given)]


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Secrets Manager after `make deploy-state`: the functions' secrets without a value."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        client = boto3.client("secretsmanager")
        for function in apply.table("functions"):
            client.create_secret(Name=f"{PREFIX}/{function}")
        yield client


def held(secrets: Any, function: str) -> dict[str, str]:
    return json.loads(secrets.get_secret_value(SecretId=f"{PREFIX}/{function}")["SecretString"])


def test_every_function_gets_a_certificate_that_its_role_in_vault_lets_in(command, bao, secrets, tmp_path: Path):
    assert apply.main([*command, "--function-secrets", PREFIX]) == 0

    for function in ("oauth_token", "certificates_renew"):
        pair = held(secrets, function)
        files = ClientCertificate(*(tmp_path / f"{function}-{name}" for name in ("certificate", "private_key", "ca")))
        for name, path in (("certificate", files.certificate), ("private_key", files.private_key), ("ca", files.ca)):
            path.write_text(pair[name])
        assert login(bao.addr, apply.role_of(function), files).lifetime > 0


def test_what_is_good_is_left_and_what_is_over_or_empty_is_filled(command, secrets):
    assert apply.main([*command, "--function-secrets", PREFIX]) == 0
    kept, gone = held(secrets, "oauth_token"), held(secrets, "audit_relay")
    secrets.put_secret_value(SecretId=f"{PREFIX}/audit_relay", SecretString="{}")

    assert apply.main([*command, "--function-secrets", PREFIX]) == 0

    assert held(secrets, "oauth_token") == kept
    assert held(secrets, "audit_relay")["certificate"] != gone["certificate"]


def test_a_service_gets_its_first_files(command, tmp_path: Path):
    assert apply.main([*command, "--service", "billing", "--out", str(tmp_path / "first")]) == 0

    assert {path.name for path in (tmp_path / "first").iterdir()} == {"client.pem", "roots.pem", "ca.pem"}
    with pytest.raises(SystemExit):
        apply.main([*command, "--service", "billing"])


def test_what_cannot_be_reached_is_told_in_a_line(command, secrets, capsys):
    assert apply.main([*command, "--function-secrets", "nowhere"]) == 1

    assert capsys.readouterr().err.startswith("Secrets Manager: ")
