"""Server certificates on the deployed system: ordered, served, renewed and revoked while clients come and go."""

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509

from infra.local import openbao, vault
from infra.local.ports import Ports
from infra.local.stack import Stack
from infra.vault import apply
from tests.integration.conftest import Running

SHORT = {"ttl": "240s", "max_ttl": "240s", "not_before_duration": "360s"}
"""
Good for ten minutes, of which six are over when it is made: renewed within a minute of that, or by the schedule's next
run or the one after it, with two minutes left.
"""


@pytest.fixture
def platform(running: Running) -> Callable[..., httpx.Response]:
    token = running.token(running.stack["platform_client"])

    def call(method: str, path: str, *, expect: int, **more: Any) -> httpx.Response:
        reply = running.call(method, path, token=token, **more)
        assert reply.status_code == expect, reply.text
        return reply

    return call


@pytest.fixture
def short_lives(running: Running) -> Iterator[None]:
    """The authority's certificates are good for a minute."""
    stack = Stack(running.home, Ports(vault=urlsplit(running.stack["vault"]["addr"]).port))
    pair = openbao.operator_pair(stack)
    operator = apply.sign_in(stack.vault_addr, ca=stack.ca_file, certificate=pair.certificate, key=pair.key)
    operator.write_data(f"pki/roles/{vault.PUBLIC}", data=vault.PUBLIC_ROLE | SHORT)
    yield
    operator.write_data(f"pki/roles/{vault.PUBLIC}", data=vault.PUBLIC_ROLE)
    operator.adapter.close()


def work(running: Running) -> dict[str, Any]:
    """What the schedule does each minute, now."""
    event = json.dumps({"source": "schedule", "job": "work"}).encode()
    answer = running.aws("lambda").invoke(FunctionName=running.output["OrdersFunction"], Payload=event)
    return dict(json.loads(answer["Payload"].read()))


def until(what: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.5)


class Client(threading.Thread):
    """
    Opens connection after connection to the edge; *shown* are the serial numbers, *failures* what went wrong.

    A server may close a connection before it answers: a request that meets this goes again on a new one, as every client
    does it (RFC 9112 section 9.3.1), since GET changes nothing (RFC 9110 section 9.2.2). Then it must be served.
    """

    def __init__(self, running: Running) -> None:
        super().__init__(daemon=True)
        self._place = urlsplit(running.stack["url"])
        self._trusted = ssl.create_default_context(cafile=running.stack["ca_file"])
        self.ended = threading.Event()
        self.requests = 0
        self.shown: list[str] = []
        self.failures: list[str] = []

    def run(self) -> None:
        again = False
        while not self.ended.wait(0.05):
            connection = http.client.HTTPSConnection(self._place.netloc, timeout=15, context=self._trusted)
            try:
                connection.connect()
                shown = connection.sock.getpeercert(binary_form=True)
                for _ in range(5):  # on the same connection, over whatever happens to the certificate
                    connection.request("GET", "/.well-known/openid-configuration")
                    reply = connection.getresponse()
                    text = reply.read()
                    again = False
                    self.requests += 1
                    if reply.status != 200:
                        self.failures.append(f"{reply.status} {text[:80]!r}")
                serial = format(x509.load_der_x509_certificate(shown).serial_number, "x")
                if serial not in self.shown:
                    self.shown.append(serial)
            except (OSError, http.client.HTTPException) as error:
                closed = isinstance(error, (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError))
                if again or not closed or isinstance(error, ConnectionRefusedError):
                    self.failures.append(repr(error))
                again = closed
            finally:
                connection.close()


@pytest.fixture
def client(running: Running) -> Iterator[Client]:
    thread = Client(running)
    thread.start()
    yield thread
    thread.ended.set()
    thread.join()


def test_the_edge_shows_what_was_ordered_through_the_api(running: Running, platform: Callable[..., httpx.Response], client):
    until(lambda: bool(client.shown), 90)
    records = platform("GET", "/v1/certificates", expect=200).json()["items"]

    record = next(each for each in records if each["domains"] == ["localhost"])
    assert record["status"] == "valid"
    assert client.shown == [record["serial_number"]]
    assert set(record["installed"]) == {"acm", "edge"}


def test_a_whole_life_goes_by_and_no_client_notices(
    running: Running, platform: Callable[..., httpx.Response], short_lives: None, client: Client
):
    path = (
        f"/v1/certificates/{platform('POST', '/v1/certificates', expect=202, json={'domains': ['localhost']}).json()['id']}"
    )

    def record() -> dict[str, Any]:
        return dict(platform("GET", path, expect=200).json())

    until(lambda: record()["status"] == "valid", 240)
    first = record()
    until(lambda: first["serial_number"] in client.shown, 60)
    until(lambda: record()["serial_number"] != first["serial_number"], 300)
    second = record()
    until(lambda: second["serial_number"] in client.shown, 60)
    assert second["installed"] == first["installed"]

    ended = platform("POST", f"{path}/revoke", expect=202, json={"reason": "superseded"}).json()
    renewed = platform("GET", "/v1/certificates", expect=200).json()["items"][-1]
    platform("POST", f"/v1/certificates/{renewed['id']}/renew", expect=202)
    work(running)
    until(lambda: record()["status"] == "revoked", 240)

    assert int(ended["serial_number"], 16) in revoked(running)
    assert client.requests > 50
    assert not client.failures


def revoked(running: Running) -> set[int]:
    """The serial numbers on the authority's list."""
    kept = running.stack["vault"]
    trusted = ssl.create_default_context(cafile=kept["ca_file"])
    crl = httpx.get(f"{kept['addr']}/v1/pki/crl", verify=trusted, timeout=10).content
    return {each.serial_number for each in x509.load_der_x509_crl(crl)}


def test_afterwards_the_edge_has_one_of_a_long_life(
    running: Running, platform: Callable[..., httpx.Response], client: Client
):
    """The short ones are over; whatever stands last is what clients see."""
    newest = platform("GET", "/v1/certificates", expect=200).json()["items"][-1]
    platform("POST", f"/v1/certificates/{newest['id']}/renew", expect=202)
    path = f"/v1/certificates/{newest['id']}"
    before = newest["serial_number"]
    work(running)

    until(lambda: platform("GET", path, expect=200).json()["serial_number"] != before, 240)
    after = platform("GET", path, expect=200).json()
    until(lambda: after["serial_number"] in client.shown, 60)
    assert after["not_after"] > newest["created_at"][:4]
    assert not client.failures


def test_a_name_of_no_zone_of_ours_is_refused_in_words(running: Running, platform: Callable[..., httpx.Response]):
    made = platform("POST", "/v1/certificates", expect=202, json={"domains": ["example.com"]}).json()
    path = f"/v1/certificates/{made['id']}"

    work(running)

    until(lambda: platform("GET", path, expect=200).json()["status"] == "failed", 240)
    assert "example.com" in platform("GET", path, expect=200).json()["problem"]


def test_several_names_and_a_wildcard_are_one_certificate(running: Running, platform: Callable[..., httpx.Response]):
    names = ["shop.test", "*.shop.test", "a.b.shop.test"]
    path = f"/v1/certificates/{platform('POST', '/v1/certificates', expect=202, json={'domains': names}).json()['id']}"

    work(running)

    until(lambda: platform("GET", path, expect=200).json()["status"] == "valid", 240)
    chain = platform("GET", path, expect=200).json()["certificate"]
    leaf = x509.load_pem_x509_certificates(chain.encode())[0]
    found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(found.get_values_for_type(x509.DNSName)) == set(names)


def test_no_private_key_stands_in_the_table(running: Running):
    pages = running.aws("dynamodb").get_paginator("scan").paginate(TableName=running.output["KeyTable"])

    text = "".join(str(item) for page in pages for item in page["Items"])

    assert "CERTIFICATES" in text
    assert "PRIVATE KEY" not in text


def test_every_functions_client_certificate_is_renewed_at_once_and_nobody_notices(
    running: Running, platform: Callable[..., httpx.Response], client: Client
):
    secrets, name = running.aws("secretsmanager"), "platforma/vault/identity_tenants"
    before = json.loads(secrets.get_secret_value(SecretId=name)["SecretString"])

    event = json.dumps({"every": True}).encode()
    answer = running.aws("lambda").invoke(FunctionName=running.output["RenewFunction"], Payload=event)
    renewed = json.loads(answer["Payload"].read())["renewed"]

    after = json.loads(secrets.get_secret_value(SecretId=name)["SecretString"])
    assert set(renewed) == set(apply.table("functions"))
    assert after["certificate"] != before["certificate"]
    assert after["ca"] == before["ca"]
    leaf = x509.load_pem_x509_certificates(after["certificate"].encode())[0]
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(hours=24, minutes=2)
    platform("GET", "/v1/tenants", expect=200)
    assert not client.failures
