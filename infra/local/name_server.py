"""
The name server of the emulator's Route 53 zones, which the emulator lacks: the CA asks it for what proves a name (dns-01).

A small process of its own, on a port that it keeps. It knows nothing: each question is answered by what the emulator's Route
53 holds in that moment, and with nothing where it holds nothing.
"""

import os
import sys
import threading
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from dnslib import QTYPE, RCODE, RR, TXT, DNSRecord
from dnslib.server import BaseResolver, DNSServer

from infra.local import aws
from infra.local.certificates import write_private
from infra.local.ports import free_port, is_free
from infra.local.processes import Server
from infra.local.stack import ROOT, Stack

ZONES = ("localhost", "test")
"""The names that certificates can be had for on this machine, with all that is below them (RFC 6761)."""


def server(stack: Stack) -> Server:
    """The name server's process of this stack; its mark holds its port."""
    home = stack.home / "name-server"
    return Server("name server", home / "port", home / "pid", stack.logs / "name-server.log")


def start(stack: Stack) -> str:
    """Have it about to run with today's code and addresses; its own. Nobody asks it before the deployment is over."""
    names, home = server(stack), stack.folder("name-server")
    names.stop()
    port = int(names.mark.read_text()) if names.mark.exists() else 0
    if not port or not is_free(port):
        port = free_port()
        write_private(names.mark, str(port))
    command = [sys.executable, "-m", "infra.local.name_server", str(names.mark), stack.aws_url]
    names.start(command, {"PATH": os.defpath, "HOME": str(home), "PYTHONPATH": str(ROOT)}, folder=ROOT)
    return f"127.0.0.1:{port}"


def ensure_zones(stack: Stack) -> list[str]:
    """Have the zones in the emulator's Route 53; their ids."""
    route53 = aws.client("route53", stack.aws_url)
    there = {zone["Name"].rstrip("."): zone["Id"] for zone in route53.list_hosted_zones()["HostedZones"]}
    for name in ZONES:
        if name not in there:
            made = route53.create_hosted_zone(Name=f"{name}.", CallerReference=f"platforma-{name}")
            there[name] = made["HostedZone"]["Id"]
    return [str(there[name]).rpartition("/")[2] for name in ZONES]


class Zones(BaseResolver):  # type: ignore[misc]  # dnslib has no types
    """Answers with the TXT records of the emulator's zones."""

    def __init__(self, url: str) -> None:
        self._route53 = aws.client("route53", url)

    def resolve(self, request: DNSRecord, _handler: object) -> DNSRecord:
        """What is known of the name; SERVFAIL where the emulator does not answer."""
        reply = request.reply()
        if QTYPE[request.q.qtype] != "TXT":
            return reply
        name = str(request.q.qname).rstrip(".").lower()
        try:
            for value in self._texts(name):
                reply.add_answer(RR(request.q.qname, QTYPE.TXT, rdata=TXT(value), ttl=0))
        except (ClientError, BotoCoreError):
            reply.header.rcode = RCODE.SERVFAIL
        return reply

    def _texts(self, name: str) -> list[str]:
        found: list[str] = []
        for zone in self._route53.list_hosted_zones()["HostedZones"]:
            apex = zone["Name"].rstrip(".")
            if name == apex or name.endswith(f".{apex}"):
                pages: Any = self._route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone["Id"])
                found += [
                    record["Value"].strip('"')
                    for page in pages
                    for each in page["ResourceRecordSets"]
                    if each["Type"] == "TXT" and each["Name"].rstrip(".").lower() == name
                    for record in each["ResourceRecords"]
                ]
        return found


def serve(mark: Path, url: str) -> None:
    """Answer by UDP and TCP until ended."""
    port = int(mark.read_text())
    for tcp in (False, True):
        DNSServer(Zones(url), port=port, address="127.0.0.1", tcp=tcp).start_thread()
    threading.Event().wait()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2])
