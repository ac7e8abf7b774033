"""
acme2certifier as a certificate authority of the tests, run in an environment of its own: ports of its own and of DNS.

It is a real authority over ACME of somebody else's, with renewal information (RFC 9773), which OpenBao's lacks. Its settings
are the file that `ACME_SRV_CONFIGFILE` names. It asks name servers at port 53 alone; here it is told another.
"""

import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

import dns.resolver

PORT, DNS_PORT = int(sys.argv[1]), int(sys.argv[2])


class Resolver(dns.resolver.Resolver):
    """One that asks the tests' name server."""

    def reset(self):
        super().reset()
        self.port = DNS_PORT


dns.resolver.Resolver = Resolver

from acme2certifier.share.acme2certifier_wsgi import application, get_handler_cls  # noqa: E402  after its resolver


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


make_server("127.0.0.1", PORT, application, Server, get_handler_cls()).serve_forever()
