"""API keys on the deployed stack: shared limits, notices, leaks and use, through the URL and by the functions' own roles."""

import base64
import json
import secrets
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.integration.conftest import Running
from tests.unit.apikeys.test_leaks import URL, pem


def make_key(running: Running, token: str, **more):
    body = {"name": "integration", "environment": "live", "scopes": ["settings:read"], **more}
    made = running.call("POST", "/v1/api-keys", token=token, json=body)
    assert made.status_code == 201, made.text
    return made.json()


@pytest.fixture
def owner(running: Running, token: str):
    """A client of its own, and a token of it: limits set here touch no other test."""
    body = {"name": f"owner-{secrets.token_hex(4)}", "roles": ["admin"], "scopes": ["*"]}
    client = running.call("POST", "/v1/oauth-clients", token=token, json=body).json()
    return client["client_id"], running.token(client)


def test_an_owners_limit_holds_over_all_of_its_keys(running: Running, token: str, owner):
    client_id, own = owner
    path = f"/v1/rate-limits/oauth_client/{client_id}"
    put = running.call("PUT", path, token=token, json={"limit": 2, "period_seconds": 3600})
    assert put.status_code == 200, put.text
    keys = [make_key(running, own)["key"] for _ in range(3)]

    statuses = [running.call("GET", "/v1/users", token=key).status_code for key in keys]
    verified = running.call("POST", "/v1/api-keys/verify", token=token, json={"key": keys[0]}).json()

    assert statuses == [200, 200, 429]
    assert (verified["code"], verified["rate_limit"]["of"]) == ("rate_limited", "owner")
    gone = running.call("DELETE", path, token=token, headers={"If-Match": put.headers["etag"]})
    assert gone.status_code == 204, gone.text


def test_the_platform_limits_a_tenant(running: Running, token: str):
    platform = running.token(running.stack["platform_client"])
    path = f"/v1/tenants/{running.stack['tenant']['id']}/rate-limit"

    put = running.call("PUT", path, token=platform, json={"limit": 1_000_000, "period_seconds": 60})
    key = make_key(running, token)["key"]
    ends, verified = time.monotonic() + 5, {"rate_limit": None}
    while verified["rate_limit"] is None and time.monotonic() < ends:  # a warm instance hears of it within 5 s
        verified = running.call("POST", "/v1/api-keys/verify", token=token, json={"key": key}).json()
    gone = running.call("DELETE", path, token=platform, headers={"If-Match": put.headers["etag"]})

    assert (put.status_code, gone.status_code) == (200, 204)
    assert (verified["valid"], verified["rate_limit"]["of"]) == (True, "tenant")


def test_a_key_that_ends_in_thirty_days_is_announced_by_the_schedules_function(running: Running, token: str):
    key = make_key(running, token)
    due = datetime.now(UTC).replace(microsecond=0)
    _ends(running, key["id"], due + timedelta(days=30), due)

    answer = running.aws("lambda").invoke(FunctionName=running.output["ExpiryFunction"], Payload=b"{}")

    assert "FunctionError" not in answer, answer["Payload"].read()
    found = running.call("GET", "/v1/audit/events", token=token, params={"resource": key["id"]}).json()["items"]
    events = [each for each in found if each["action"] == "settings.api_keys.announce_expiry"]
    assert [(each["source"], each["changes"]["after"]["days"]) for each in events] == [("schedule", 30)]


def test_the_use_of_a_key_is_told(running: Running, token: str):
    key = make_key(running, token, scopes=["settings:read", "orders:read"])
    running.call("GET", "/v1/users", token=key["key"])
    running.call("GET", "/v1/audit/events", token=key["key"])

    told = running.call("GET", f"/v1/api-keys/{key['id']}/usage", token=token)

    assert told.status_code == 200, told.text
    assert told.json()["narrowest_scopes"] == ["settings.users.list"]
    assert told.json()["unused_scopes"] == ["orders:read"]


@pytest.fixture
def scanner(running: Running, tmp_path):
    """A scanner that publishes its key on this machine, and the deployment that was told where."""
    signer = ec.generate_private_key(ec.SECP256R1())
    listed = json.dumps({"public_keys": [{"key_identifier": "kid", "key": pem(signer), "is_current": True}]}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(listed)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, ca_file = tmp_path / "server.pem", tmp_path / "ca.pem"
    _self_signed(certificate, ca_file)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    functions, name = running.aws("lambda"), "platforma-apikeys_manage"
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    told = {
        "SECRET_SCANNING_KEYS_URL": f"https://localhost:{server.server_port}/keys",
        "FETCH_NETWORKS": "127.0.0.0/8 ::1/128",
        "FETCH_CA_FILE": str(ca_file),
    }
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": {**before, **told}})
    yield signer
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": before})
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_report_that_the_scanner_signed_revokes_and_a_forged_one_does_nothing(running: Running, token: str, scanner):
    key = make_key(running, token)
    raw = json.dumps([{"token": key["key"], "type": "platforma_api_key", "url": URL, "source": "commit"}]).encode()
    signature = base64.b64encode(scanner.sign(raw, ec.ECDSA(SHA256()))).decode()
    headers = {"Content-Type": "application/json", "Github-Public-Key-Identifier": "kid"}

    forged = running.call(
        "POST", "/v1/api-keys/leaks", content=raw + b" ", headers={**headers, "Github-Public-Key-Signature": signature}
    )
    still = running.call("GET", "/v1/users", token=key["key"]).status_code
    sent = [
        running.call(
            "POST", "/v1/api-keys/leaks", content=raw, headers={**headers, "Github-Public-Key-Signature": signature}
        )
        for _ in range(2)
    ]

    assert (forged.status_code, still) == (401, 200)
    assert [reply.status_code for reply in sent] == [200, 200], sent[0].text
    assert sent[0].json()[0]["label"] == "true_positive"
    assert running.call("GET", "/v1/users", token=key["key"]).status_code == 401
    found = running.call("GET", "/v1/audit/events", token=token, params={"resource": key["id"]}).json()["items"]
    assert [each["action"] for each in found].count("settings.api_keys.report_leak") == 1


def _ends(running: Running, key_id: str, ends: datetime, due: datetime) -> None:
    """
    Let a key end later, as the tables' owner: one made through a token ends with it, and no test waits for a month.

    What stands there then is what a key that was made for longer has, a month before its end.
    """
    tables, name = running.aws("dynamodb"), running.output["CredentialTable"]
    at, told = (moment.strftime("%Y-%m-%dT%H:%M:%S.000Z") for moment in (ends, due))
    tables.update_item(
        TableName=name,
        Key={"pk": {"S": f"KEY#{key_id}"}, "sk": {"S": "KEY"}},
        UpdateExpression="SET expires_at = :at",
        ExpressionAttributeValues={":at": {"S": at}},
    )
    notice = {"pk": {"S": f"NOTICE#{told[:10]}"}, "sk": {"S": f"{told}#{key_id}"}, "days": {"N": "30"}}
    tables.put_item(TableName=name, Item=notice)


def _self_signed(certificate, ca_file):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    certificate.write_bytes(private + signed.public_bytes(Encoding.PEM))
    ca_file.write_bytes(signed.public_bytes(Encoding.PEM))
