"""
What functions lean on is taken away while callers are at work: Vault sealed, hung, late, another node than it was, tokens
short, a permission lost, a certificate expired, the CA replaced. Answers stay what they may be, nothing is kept unsealed or
given unsigned while it lasts, and all of it heals by itself.
"""

import base64
import json
import os
import secrets
import signal
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import jwt
import pytest
from cryptography import x509

from infra.local import certificates, edge, openbao, vault
from infra.local.ports import Ports, free_port
from infra.local.progress import wait_until
from infra.local.stack import Stack
from infra.vault import apply
from tests.fakes.way import Way, opened
from tests.integration.conftest import Running
from tests.integration.test_failures import function_name, made_cold

LONGEST_SECONDS = 40.0
"""A caller who gets no answer by then counts as failed, whatever Vault does; the gateway gives up at 29."""
FUNCTION = "keys_encryption"
LOST = {edge.DETAILS[503]}
"""What the edge says of a call that was in a function when the test changed that function; no function says it."""


@pytest.fixture(scope="module")
def stack(running: Running) -> Stack:
    return Stack(running.home, Ports(vault=urlsplit(running.stack["vault"]["addr"]).port or 0))


@pytest.fixture
def operator(stack: Stack) -> Iterator[apply.Setup]:
    """Who sets Vault up, signed in."""
    pair = openbao.operator_pair(stack)
    client = apply.sign_in(stack.vault_addr, ca=stack.ca_file, certificate=pair.certificate, key=pair.key)
    yield apply.Setup(client)
    client.adapter.close()


class Load:
    """
    Callers at work: each makes users whose names say *marker*, encrypts it, and asks for a token. *answers*: began, status,
    what. Every token that is given is signed by a key of the set from before, and no answer says the marker.
    """

    def __init__(self, running: Running, token: str, callers: int = 3) -> None:
        self.marker = f"marker-{secrets.token_hex(8)}"
        self.answers: list[tuple[float, int, str]] = []
        self.sealed: list[str] = []
        self.wrong: list[str] = []
        self.refusals: list[str] = []
        self._running, self._token = running, token
        self._keys = jwt.PyJWKSet.from_dict(running.call("GET", "/.well-known/jwks.json").json())
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._call, daemon=True) for _ in range(callers)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        wait_until(lambda: len(self.good()) > 5, 90)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def good(self, since: float = 0) -> list[str]:
        return [what for began, status, what in self.answers if status < 300 and began >= since]

    def refused(self, since: float) -> list[str]:
        return [what for began, status, what in self.answers if status == 503 and began >= since]

    def heals(self, seconds: float = 90) -> None:
        """Wait until the callers are served one after the other, as before."""
        began = time.monotonic()

        def healed() -> bool:
            lately = [status for _, status, _ in self.answers[-12:]]
            return len(lately) == 12 and max(lately) < 300 and self.answers[-12][0] > began

        assert wait_until(healed, seconds), self.answers[-12:]

    def statuses(self) -> set[int]:
        return {status for _, status, _ in self.answers}

    def _call(self) -> None:
        trusted = ssl.create_default_context(cafile=self._running.stack["ca_file"])
        plain = base64.b64encode(self.marker.encode()).decode()
        client, form = self._running.stack["service_client"], {"grant_type": "client_credentials"}
        credentials = (client["client_id"], client["client_secret"])
        with httpx.Client(base_url=self._running.stack["url"], verify=trusted, timeout=LONGEST_SECONDS) as http:
            bearer = {"Authorization": f"Bearer {self._token}"}
            while not self._ended.is_set():
                user = {"email": f"{secrets.token_hex(6)}@load.test", "name": self.marker}
                self._note("user", lambda body=user: http.post("/v1/users", json=body, headers=bearer))
                body = {"plaintext": plain, "context": {"record": "1"}}
                encrypt = lambda body=body: http.post("/v1/encryption/encrypt", json=body, headers=bearer)
                reply = self._note("encrypt", encrypt)
                if reply is not None and reply.status_code == 200:
                    self.sealed.append(reply.json()["ciphertext"])
                    if self.marker.encode() in base64.b64decode(reply.json()["ciphertext"]):
                        self.wrong.append(reply.text)
                reply = self._note("token", lambda: http.post("/oauth2/token", data=form, auth=credentials))
                if reply is not None and reply.status_code == 200:
                    self._verify(reply.json()["access_token"])

    def _verify(self, token: str) -> None:
        """It is signed, by ES256 and one of our keys."""
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            jwt.decode(token, key, algorithms=["ES256"], options={"verify_aud": False})
        except (jwt.PyJWTError, KeyError) as error:
            self.wrong.append(f"a token that is not signed: {error!r}")

    def _note(self, what: str, ask: Callable[[], httpx.Response]) -> httpx.Response | None:
        began = time.monotonic()
        try:
            reply = ask()
        except httpx.TransportError as error:
            self.wrong.append(repr(error))
            return None
        self.answers.append((began, reply.status_code, what))
        if reply.status_code == 503:
            self.refusals.append(reply.json().get("detail", ""))
            if int(reply.headers.get("retry-after", "0")) < 1 or not {"request_id", "error"} & set(reply.json()):
                self.wrong.append(reply.text)
        if self.marker in reply.text and reply.status_code >= 400:
            self.wrong.append(reply.text)
        return reply


@pytest.fixture
def load(running: Running, token: str) -> Iterator[Load]:
    with Load(running, token) as working:
        yield working


def sealed_everywhere(running: Running, load: Load) -> None:
    """Nothing that was taken stands in the clear in any table: asked while it happens, and afterwards."""
    for table in ("IdentityTable", "AuditTable", "CredentialTable", "PolicyTable", "KeyTable"):
        pages = running.aws("dynamodb").get_paginator("scan").paginate(TableName=running.output[table])
        assert not any(load.marker in str(item) for page in pages for item in page["Items"]), table


def held(running: Running, token: str, load: Load) -> None:
    """What holds in every one of these cases, looked at when all is well again."""
    assert not load.wrong
    assert load.statuses() <= {200, 201, 503}
    sealed_everywhere(running, load)
    for ciphertext in load.sealed[:1] + load.sealed[-3:]:
        body = {"ciphertext": ciphertext, "context": {"record": "1"}}
        opened = running.call("POST", "/v1/encryption/decrypt", token=token, json=body)
        assert base64.b64decode(opened.json()["plaintext"]).decode() == load.marker


@contextmanager
def sealed_vault(stack: Stack) -> Iterator[None]:
    """OpenBao comes up and can't open its own store: it answers 503, as a sealed Vault does."""
    server, seal = openbao.server(stack), stack.home / "openbao" / "seal.key"
    key = seal.read_bytes()
    server.stop(seconds=30)
    certificates.write_private(seal, secrets.token_bytes(32))
    environment = {"HOME": str(stack.home / "openbao"), "PATH": os.defpath}
    command = [str(openbao.binary()), "server", f"-config={server.mark}"]
    try:
        server.start(command, environment, folder=stack.home / "openbao")
        assert wait_until(lambda: openbao.health(stack) == 503, 90)
        yield
    finally:
        server.stop(seconds=30)
        certificates.write_private(seal, key)
        openbao.start(stack)


def test_vault_sealed_cached_work_goes_on_the_rest_is_503_and_unsealed_it_heals(
    running: Running, token: str, load: Load, stack: Stack
):
    with sealed_vault(stack):
        began = time.monotonic()
        made_cold(running, FUNCTION)
        assert wait_until(lambda: "user" in load.good(began), 90), "what is cached serves on"
        assert wait_until(lambda: "encrypt" in load.refused(began), 90), "what must ask Vault is refused"
        sealed_everywhere(running, load)
    load.heals()

    held(running, token, load)


def test_vault_that_hangs_costs_a_caller_seconds_and_not_the_system(running: Running, token: str, load: Load, stack: Stack):
    pid = openbao.server(stack).pid()
    assert pid is not None
    made_cold(running, FUNCTION)
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(8)
        sealed_everywhere(running, load)
    finally:
        os.kill(pid, signal.SIGCONT)
    load.heals()

    held(running, token, load)


@pytest.fixture
def way(running: Running, stack: Stack) -> Iterator[Way]:
    """What leads to Vault for the functions that the callers reach: before `load` in a test's arguments."""
    with opened(stack.ports.vault) as made:
        lead(running, stack.vault_addr.replace(f":{stack.ports.vault}", f":{made.port}"))
        try:
            yield made
        finally:
            lead(running, stack.vault_addr)


def lead(running: Running, address: str) -> None:
    client = running.aws("lambda")
    for function in (FUNCTION, "identity_users", "oauth_token"):
        name = function_name(running, function)
        variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        client.update_function_configuration(
            FunctionName=name, Environment={"Variables": {**variables, "VAULT_ADDR": address}}
        )


def test_a_vault_that_answers_late_is_waited_for_and_one_that_answers_too_late_is_503(
    running: Running, token: str, way: Way, load: Load
):
    way.delay = 0.3
    made_cold(running, FUNCTION)
    since = time.monotonic()
    assert wait_until(lambda: {"user", "encrypt", "token"} <= set(load.good(since)), 90)

    way.delay = 4
    made_cold(running, FUNCTION)
    since = time.monotonic()
    assert wait_until(lambda: {"user", "token"} <= set(load.good(since)), 90), "what is cached serves on"
    assert wait_until(lambda: "encrypt" in load.refused(since), 90), "what must ask Vault is refused"
    lasted = time.monotonic() - since
    assert way.came_since(since) <= 60 + 8 * lasted, "an instance meets Vault about once a second at most"
    sealed_everywhere(running, load)

    way.delay = 0
    load.heals()
    held(running, token, load)


def test_another_node_takes_over_from_one_that_died_and_nobody_is_restarted(
    running: Running, token: str, way: Way, load: Load, stack: Stack
):
    other = Stack(running.home, Ports(vault=free_port()))
    pid = openbao.server(stack).pid()
    assert pid is not None
    since = time.monotonic()
    try:
        os.kill(pid, signal.SIGKILL)
        way.leads_to = None
        way.cut()
        made_cold(running, FUNCTION)
        time.sleep(3)
        sealed_everywhere(running, load)
        openbao.start(other)
        way.leads_to = other.ports.vault
        load.heals()
        assert {"user", "encrypt", "token"} <= set(load.good(since))
        assert way.came_since(since) <= 60 + 8 * (time.monotonic() - since)
    finally:
        openbao.start(stack)
        way.leads_to = stack.ports.vault
        way.cut()
    load.heals()

    held(running, token, load)


def test_tokens_that_end_while_they_are_used_are_not_noticed(
    running: Running, token: str, load: Load, operator: apply.Setup
):
    role = apply.role_of(FUNCTION)
    known = operator.read(f"auth/cert/certs/{role}")
    try:
        operator.write(f"auth/cert/certs/{role}", {**known, "token_ttl": "1s", "token_max_ttl": "1s"})
        made_cold(running, FUNCTION)
        began = time.monotonic()
        for _ in range(15):  # the tenant's key itself is asked for at every call
            assert running.call("GET", "/v1/encryption/keys", token=token).status_code == 200
            time.sleep(0.3)
        assert time.monotonic() - began > 3
    finally:
        operator.roles()
    made_cold(running, FUNCTION)

    held(running, token, load)
    assert set(load.refusals) <= LOST


def test_a_permission_that_is_lost_costs_just_that_and_given_back_it_serves(
    running: Running, token: str, load: Load, operator: apply.Setup
):
    def asked() -> int:
        return running.call("GET", "/v1/encryption/keys", token=token).status_code

    rows = apply.table("functions")[FUNCTION]
    try:
        policy = apply.policy_of([row for row in rows if row != "key-versions"])
        operator.write(f"sys/policies/acl/{apply.role_of(FUNCTION)}", {"policy": policy})
        assert wait_until(lambda: asked() == 503, 90)
        since = time.monotonic()
        assert wait_until(lambda: "encrypt" in load.good(since), 90), "what else the function may do is served"
    finally:
        operator.policies()
    assert wait_until(lambda: asked() == 200, 90)
    load.heals()

    held(running, token, load)


def test_a_certificate_that_expired_is_503_until_it_is_renewed(
    running: Running, token: str, load: Load, operator: apply.Setup
):
    store, name = running.aws("secretsmanager"), f"platforma/vault/{FUNCTION}"
    content = json.loads(store.get_secret_value(SecretId=name)["SecretString"])
    named = {"common_name": apply.role_of(FUNCTION), "exclude_cn_from_sans": "true", "ttl": "1s"}
    issued = vault.issue(operator.vault, "function", named | {"uri_sans": apply.FUNCTION_URI + FUNCTION})
    time.sleep(2)
    expired = {**content, "certificate": issued.certificate, "private_key": issued.private_key}
    store.put_secret_value(SecretId=name, SecretString=json.dumps(expired))
    made_cold(running, FUNCTION)

    def asked() -> int:
        return running.call("GET", "/v1/encryption/keys", token=token).status_code

    assert wait_until(lambda: asked() == 503, 90)
    renew(running)
    assert wait_until(lambda: asked() == 200, 90)
    load.heals()

    held(running, token, load)


def renew(running: Running, **event: Any) -> list[str]:
    answer = running.aws("lambda").invoke(FunctionName=running.output["RenewFunction"], Payload=json.dumps(event).encode())
    told = json.loads(answer["Payload"].read())
    assert "renewed" in told, told
    return list(told["renewed"])


def held_by_functions(running: Running) -> dict[str, dict[str, str]]:
    """The certificate and the roots that each function has now."""
    store = running.aws("secretsmanager")
    names = {function: f"platforma/vault/{function}" for function in apply.table("functions")}
    return {each: json.loads(store.get_secret_value(SecretId=name)["SecretString"]) for each, name in names.items()}


def issuers_of(held: dict[str, dict[str, str]]) -> set[bytes]:
    """By their keys: both CAs have one name."""
    leaves = [x509.load_pem_x509_certificates(each["certificate"].encode())[0] for each in held.values()]
    found = [leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value for leaf in leaves]
    return {each.key_identifier or b"" for each in found}


def roots_of(held: dict[str, dict[str, str]]) -> set[int]:
    return {each["ca"].count("BEGIN CERTIFICATE") for each in held.values()}


def test_the_ca_is_replaced_and_nobody_notices(running: Running, token: str, load: Load, operator: apply.Setup):
    """All but the last step, which takes a day for the old ones to end; then back, since the stack's own root is a file."""
    before = issuers_of(held_by_functions(running))
    try:
        operator.begin_ca()
        renew(running)
        begun = held_by_functions(running)
        assert (roots_of(begun), issuers_of(begun)) == ({2}, before), "both roots are trusted now"
        operator.switch_ca()
        renew(running, every=True)
        switched = held_by_functions(running)
        assert roots_of(switched) == {2}
        assert not issuers_of(switched) & before
        for function in (FUNCTION, "identity_users", "certificates_renew"):
            made_cold(running, function)  # signs in by what the next CA issued
        load.heals()
    finally:
        operator.back_ca()
        renew(running, every=True)
        operator.abandon_ca()
        renew(running)
    after = held_by_functions(running)
    assert (roots_of(after), issuers_of(after)) == ({1}, before)
    made_cold(running, FUNCTION)
    load.heals()

    held(running, token, load)
    assert set(load.refusals) <= LOST


def test_vaults_own_log_names_the_request_of_ours(running: Running, token: str, stack: Stack):
    reply = running.call("GET", "/v1/encryption/keys", token=token)

    lines = (stack.logs / "vault-audit.log").read_text().splitlines()[-400:]
    told = [json.loads(line) for line in lines if reply.headers["x-request-id"] in line]
    assert any(line["request"]["path"].startswith("transit/keys/tenant-") for line in told)
    found = running.call("GET", f"/v1/audit/events?request_id={reply.headers['x-request-id']}", token=token).json()["items"]
    assert [event["action"] for event in found] == ["crypto.keys.list"]


def test_the_edge_still_shows_a_good_certificate(stack: Stack):
    assert edge.certificate(stack).is_good()
