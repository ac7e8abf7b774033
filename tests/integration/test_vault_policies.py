"""
Each function's own certificate at the deployed Vault: every call that its row of infra/vault/functions.json does not grant
is refused, whoever else may make it.

A refused call changes nothing, so that all of them are really sent. Those that are granted are sent as well where Vault
cannot do anything with them: for a tenant that is none.
"""

import json
import re
import ssl
from pathlib import Path

import httpx
import pytest

from infra.vault import apply
from platforma.kernel.ids import new_id
from tests.integration.conftest import Running

FUNCTIONS = apply.table("functions")
TENANT = f"tenant-{new_id('ten')}"
METHODS = {"read": "GET", "list": "LIST", "create": "POST", "update": "POST", "delete": "DELETE"}
_GRANT = re.compile(r'path "([^"]+)"\s*\{\s*capabilities\s*=\s*\[([^]]*)\]')
NOBODYS = {
    ("GET", f"transit/export/encryption-key/{TENANT}"),
    ("GET", "transit/export/signing-key/audit-checkpoint"),
    ("GET", f"transit/backup/{TENANT}"),
    ("GET", "transit/backup/platform"),
    ("POST", "transit/keys/audit-checkpoint/rotate"),
    ("POST", "transit/keys/platform/config"),
    ("DELETE", "transit/keys/platform"),
    ("DELETE", "transit/keys/audit-checkpoint"),
    ("LIST", "transit/keys"),
    ("POST", "transit/encrypt/platform"),
    ("POST", f"transit/encrypt/{TENANT}"),
    ("POST", f"transit/rewrap/{TENANT}/x"),
    ("LIST", "kv/metadata/platforma"),
    ("DELETE", "kv/metadata/platforma/peppers"),
    ("POST", "kv/destroy/platforma/peppers"),
    ("GET", "kv/data/other"),
    ("POST", "pki/issue/service"),
    ("POST", "pki/issue/edge"),
    ("POST", "pki-root/root/sign-intermediate"),
    ("GET", "sys/policies/acl/operator"),
    ("POST", "sys/policies/acl/fn-audit-relay"),
    ("POST", "auth/cert/certs/fn-audit-relay"),
    ("POST", "auth/token/create"),
    ("POST", "auth/token/create/reader"),
    ("GET", "sys/mounts"),
    ("PUT", "sys/seal"),
}
"""What no function may do."""


def calls(capabilities: list[str]) -> set[tuple[str, str]]:
    """Method and path of what the policy grants, a tenant's key being that of a tenant that is none."""
    granted = _GRANT.findall(apply.policy_of(capabilities))
    return {(METHODS[word], path.replace("tenant-*", TENANT)) for path, said in granted for word in re.findall(r"\w+", said)}


ALL = NOBODYS | set().union(*(calls(row) for row in FUNCTIONS.values()))


def covers(row: list[str], path: str) -> bool:
    """Whether a path with a glob at its end, `transit/keys/tenant-*`, reaches *path* too: `/config`, `/rotate`, `/trim`."""
    return any(path.startswith(f"{granted}/") for _, granted in calls(row) if granted.endswith(TENANT))


@pytest.fixture
def trusted(running: Running) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=running.stack["vault"]["ca_file"])


@pytest.fixture
def own_client(running: Running, tmp_path: Path, trusted: ssl.SSLContext):
    """A function's connection to Vault, by the certificate that is its own."""

    def connected(function: str) -> httpx.Client:
        secret = running.aws("secretsmanager").get_secret_value(SecretId=f"platforma/vault/{function}")
        pair = json.loads(secret["SecretString"])
        (tmp_path / "certificate.pem").write_text(pair["certificate"])
        (tmp_path / "key.pem").write_text(pair["private_key"])
        trusted.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
        return httpx.Client(base_url=f"{running.stack['vault']['addr']}/v1/", verify=trusted, timeout=10)

    return connected


def logged_in(http: httpx.Client, function: str) -> httpx.Response:
    return http.post("auth/cert/login", json={"name": apply.role_of(function)})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_call_outside_a_functions_policy_is_refused(own_client, function):
    row = FUNCTIONS[function]
    outside = {(method, path) for method, path in ALL - calls(row) if not covers(row, path)}

    with own_client(function) as http:
        http.headers["X-Vault-Token"] = logged_in(http, function).json()["auth"]["client_token"]
        answers = {(method, path): http.request(method, path, json={}).status_code for method, path in sorted(outside)}

    assert len(outside) > len(NOBODYS) / 2
    assert {call: status for call, status in answers.items() if status != 403} == {}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_it_grants_is_not_refused(own_client, function):
    """Else the test above would hold of a token that is good for nothing."""
    harmless = {call for call in calls(FUNCTIONS[function]) if call[0] == "GET" or call[1].endswith(TENANT)}

    with own_client(function) as http:
        http.headers["X-Vault-Token"] = logged_in(http, function).json()["auth"]["client_token"]
        answers = {(method, path): http.request(method, path).status_code for method, path in sorted(harmless)}

    assert 403 not in answers.values(), answers
    assert answers[("GET", "auth/token/lookup-self")] == 200


@pytest.mark.parametrize("path", ["transit/decrypt/tenant-..%2Fsigning", f"transit/decrypt/{TENANT}%2F..%2Fsigning"])
def test_a_name_of_a_tenant_that_climbs_reaches_no_other_key(own_client, path):
    with own_client("apikeys_verify") as http:
        http.headers["X-Vault-Token"] = logged_in(http, "apikeys_verify").json()["auth"]["client_token"]
        answer = http.post(path, json={"ciphertext": "vault:v1:" + "A" * 80, "context": "eA=="})

    assert answer.status_code in {400, 403, 404}
    assert "plaintext" not in answer.text


def test_a_certificate_opens_no_other_functions_role(own_client):
    with own_client("policy_decide") as http:
        answers = {function: logged_in(http, function).status_code for function in FUNCTIONS}

    assert {function for function, status in answers.items() if status == 200} == {"policy_decide"}
