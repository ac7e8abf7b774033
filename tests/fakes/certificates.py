"""Around the ordering of certificates: a name server that shows proofs, and a place where pairs are installed."""

from dnslib import QTYPE, RR, TXT
from dnslib.server import BaseResolver

from tests.contract.openbao import _free_port


class Names(BaseResolver):
    """`DNS` and the server that answers for it."""

    def __init__(self) -> None:
        self.port = _free_port()
        self.records: dict[str, tuple[str, ...]] = {}
        self.lies = False

    def resolve(self, request, _handler):
        reply = request.reply()
        for value in self.records.get(str(request.q.qname).rstrip(".").lower(), ()):
            reply.add_answer(RR(request.q.qname, QTYPE.TXT, rdata=TXT("wrong" if self.lies else value), ttl=0))
        return reply

    def publish(self, proof):
        self.records[proof.name] = proof.values
        return proof.name

    def is_published(self, change):
        return change in self.records

    def remove(self, proof):
        self.records.pop(proof.name, None)


class Shown:
    """An installer that notes what it was given."""

    name = "shown"

    def __init__(self) -> None:
        self.pairs = []

    def serves(self, _domains):
        return True

    def install(self, known, pair):
        self.pairs.append(pair)
        return known or "place-1"
