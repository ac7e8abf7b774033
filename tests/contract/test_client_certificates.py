"""A function's client certificate, out of Secrets Manager (moto)."""

import json

import boto3
import pytest
from moto import mock_aws

from platforma.adapters.secretsmanager import ClientCertificates
from platforma.kernel.errors import Unavailable

PEMS = {"certificate": "leaf\nintermediate\n", "private_key": "key\n", "ca": "root\n"}


@pytest.fixture
def secrets_manager(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        client = boto3.client("secretsmanager")
        client.create_secret(Name="fn", SecretString=json.dumps(PEMS))
        yield client


def test_its_files_are_this_users_alone(secrets_manager):
    found = ClientCertificates("fn")()

    assert [path.read_text() for path in (found.certificate, found.private_key, found.ca)] == list(PEMS.values())
    assert found.private_key.stat().st_mode & 0o777 == 0o600
    assert found.private_key.parent.stat().st_mode & 0o777 == 0o700


def test_a_renewed_one_takes_the_place_of_the_old(secrets_manager):
    certificates = ClientCertificates("fn")
    old = certificates()
    secrets_manager.put_secret_value(SecretId="fn", SecretString=json.dumps({**PEMS, "certificate": "new\n"}))

    new = certificates()

    assert new == old
    assert new.certificate.read_text() == "new\n"


@pytest.mark.parametrize("text", ["", "[]", "{}", '"x"', '{"certificate": "private"}'])
def test_what_is_no_certificate_is_unavailable_and_is_not_told(secrets_manager, text):
    if text:
        secrets_manager.put_secret_value(SecretId="fn", SecretString=text)

    with pytest.raises(Unavailable) as caught:
        ClientCertificates("fn" if text else "missing")()

    assert caught.value.__context__ is None
    assert "private" not in f"{caught.value} {caught.value.facts}"
