"""
Vault as a cluster behind a load balancer: its active node dies, it is slow, it is gone, and everybody comes back to it.

Three real OpenBao nodes share a raft; the load balancer leads to whichever the test says.
"""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import hvac
import pytest
import requests

from platforma.adapters.vault import Vault
from platforma.kernel.errors import Unavailable
from platforma.kernel.ids import new_id
from platforma.kernel.tenancy import PLATFORM
from tests.contract.openbao import BINARY, OpenBao, _free_port
from tests.fakes.way import Way, opened

pytestmark = pytest.mark.enable_socket


class Node(OpenBao):
    """One of a cluster; all but the first join it, with its authority, its seal and its listener's certificate."""

    def __init__(self, home: Path, first: "Node | None" = None) -> None:
        home.mkdir()
        self.first, self.cluster_port = first, _free_port()
        super().__init__(home)
        if first is not None:
            self.authority = first.authority
            for name in ("ca.pem", "vault.pem", "vault-key.pem", "seal.key"):
                shutil.copy(first.home / name, home / name)

    @property
    def port(self) -> int:
        return int(urlsplit(self.addr).port or 0)

    def health(self) -> int:
        """200 active, 429 standby, 0 where nobody answers."""
        try:
            return requests.get(f"{self.addr}/v1/sys/health", verify=str(self.authority.file), timeout=5).status_code
        except requests.RequestException:
            return 0

    def dies(self) -> None:
        """At once, without a word to anybody."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(20)
        self._process = None

    def joins(self) -> None:
        with (self.home / "log").open("ab") as log:
            command = [str(BINARY), "server", f"-config={self.home / 'config.hcl'}"]
            environment = {"HOME": str(self.home), "PATH": os.defpath}
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    def _config(self) -> str:
        joined = ""
        if self.first is not None:
            ca = self.first.authority.file
            joined = f'retry_join {{ leader_api_addr = "{self.first.addr}" leader_ca_cert_file = "{ca}" }}'
        return f"""
api_addr = "{self.addr}"
cluster_addr = "https://127.0.0.1:{self.cluster_port}"
storage "raft" {{ path = "{self.home}/raft" node_id = "{self.home.name}" performance_multiplier = 1
  {joined} }}
listener "tcp" {{
  address = "{self.addr.removeprefix("https://")}"
  cluster_address = "127.0.0.1:{self.cluster_port}"
  tls_cert_file = "{self.home}/vault.pem"
  tls_key_file = "{self.home}/vault-key.pem"
  tls_min_version = "tls13"
}}
seal "static" {{ current_key_id = "test" current_key = "file://{self.home}/seal.key" }}
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[list[Node]]:
    """Three nodes of one mind; the first is active."""
    first = Node(tmp_path / "a")
    first.start()
    nodes = [first]
    try:
        first.set_up()
        first.write("sys/storage/raft/autopilot/configuration", server_stabilization_time="1s")
        for name in ("b", "c"):
            nodes.append(Node(tmp_path / name, first))
            nodes[-1].joins()
        assert until(lambda: [node.health() for node in nodes] == [200, 429, 429], 90), [node.health() for node in nodes]
        assert until(lambda: voters(first) == 3, 60)
        yield nodes
    finally:
        for node in nodes:
            if node._process is not None:
                node._process.kill()
                node._process.wait(20)


def voters(node: Node) -> int:
    servers = node.root.read("sys/storage/raft/configuration")["data"]["config"]["servers"]
    return sum(server["voter"] for server in servers)


@pytest.fixture(scope="module")
def bao(tmp_path_factory) -> Iterator[OpenBao]:
    server = OpenBao(tmp_path_factory.mktemp("bao"))
    server.start()
    server.set_up()
    yield server
    server.stop()


@pytest.fixture
def way(bao: OpenBao) -> Iterator[Way]:
    with opened(int(urlsplit(bao.addr).port or 0)) as made:
        yield made


def until(what, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def client(way: Way, bao: OpenBao) -> Vault:
    certificate = bao.client()
    return Vault(f"https://127.0.0.1:{way.port}", "function", lambda: certificate)


def serves(vault: Vault) -> bool:
    try:
        return len(vault.generate(PLATFORM, "identity").plaintext) == 32
    except Unavailable:
        return False


def makes(vault: Vault) -> bool:
    """Whether a write is taken: a standby hands it on to the active node, once it knows it."""
    try:
        vault.create_tenant_key(new_id("ten"))
    except Unavailable:
        return False
    return True


def test_the_active_node_dies_and_another_serves_the_same_keys_without_a_restart(cluster: list[Node]):
    first, *others = cluster
    with opened(first.port) as way:
        vault = client(way, first)
        kept = vault.generate(PLATFORM, "identity")
        token = vault._connection._session.client.token

        first.dies()
        way.leads_to = others[0].port
        way.cut()

        assert until(lambda: serves(vault), 60)
        assert vault.unwrap(PLATFORM, "identity", kept.wrapped) == kept.plaintext
        assert until(lambda: sorted(node.health() for node in others) == [200, 429], 60), "one of them is active now"
        assert until(lambda: makes(vault), 60)
        # A batch token is no node's: the one that the dead node gave is good at the others until it ends.
        known = hvac.Client(url=others[1].addr, token=token, verify=str(first.authority.file))
        assert until(lambda: _looked_up(known), 30)


def _looked_up(known: hvac.Client) -> bool:
    try:
        return bool(known.write_data("transit/datakey/plaintext/platform", data={"context": "YQ==", "bits": 256})["data"])
    except (hvac.exceptions.VaultError, requests.RequestException):
        return False


def test_a_vault_that_is_steadily_slow_serves_and_one_that_is_too_slow_costs_seconds(way: Way, bao: OpenBao):
    vault = client(way, bao)
    way.delay = 0.3
    for _ in range(3):
        assert serves(vault)

    way.delay = 4
    began = time.monotonic()
    with pytest.raises(Unavailable):
        vault.generate(PLATFORM, "identity")
    assert time.monotonic() - began < 10
    began = time.monotonic()
    with pytest.raises(Unavailable):
        vault.generate(PLATFORM, "identity")
    assert time.monotonic() - began < 0.3, "who comes next does not wait"

    way.delay = 0
    assert until(lambda: serves(vault), 30)


def test_twenty_instances_that_are_asked_all_the_time_meet_a_vault_that_is_gone_once_a_second_each(way: Way, bao: OpenBao):
    instances = [client(way, bao) for _ in range(20)]
    assert all(serves(each) for each in instances)
    asked = [0] * len(instances)
    ended = threading.Event()

    def work(number: int) -> None:
        while not ended.wait(0.01):
            serves(instances[number])
            asked[number] += 1

    leads_to, way.leads_to = way.leads_to, None
    way.cut()
    began = time.monotonic()
    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(len(instances))]
    for thread in threads:
        thread.start()
    try:
        time.sleep(4)
        came, calls, lasted = way.came_since(began), sum(asked), time.monotonic() - began
        way.leads_to = leads_to
        back = time.monotonic()
        assert until(lambda: all(each._connection._session is not None for each in instances), 30)
        assert way.came_since(back) <= 3 * len(instances), "they come back once each, and not all the time"
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    # Each call of an instance that is not resting makes two connections: the one that broke and the fresh login.
    assert came <= 2 * len(instances) * (lasted / 0.5 + 1)
    assert calls > 2 * came
