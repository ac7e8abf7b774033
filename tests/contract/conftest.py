"""Servers that several suites ask, each started once for a file."""

from collections.abc import Iterator

import pytest
from dnslib.server import DNSServer

from tests.contract.openbao import OpenBao
from tests.fakes.certificates import Names


@pytest.fixture(scope="module")
def bao(tmp_path_factory) -> Iterator[OpenBao]:
    """A real OpenBao with the mounts and roles of ours."""
    server = OpenBao(tmp_path_factory.mktemp("bao"))
    try:
        server.start()
        server.set_up()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def names() -> Iterator[Names]:
    """A name server on loopback."""
    resolver = Names()
    servers = [DNSServer(resolver, port=resolver.port, address="127.0.0.1", tcp=tcp) for tcp in (False, True)]
    for server in servers:
        server.start_thread()
    yield resolver
    for server in servers:
        server.server.shutdown()
        server.server.server_close()
