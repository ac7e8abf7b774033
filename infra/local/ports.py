"""The four ports of a stack: from the environment, or free ones; and whether a port can be had."""

import os
import socket
from dataclasses import dataclass, fields

from infra.local.progress import StepFailed

VARIABLES = {
    "edge": ("PLATFORMA_PORT", 8443),
    "internal": ("PLATFORMA_INTERNAL_PORT", 8444),
    "aws": ("PLATFORMA_AWS_PORT", 4566),
    "vault": ("PLATFORMA_VAULT_PORT", 8200),
}


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports of the edge, the mutual TLS edge, the AWS emulator and OpenBao."""

    edge: int = 8443
    internal: int = 8444
    aws: int = 4566
    vault: int = 8200

    @classmethod
    def from_environment(cls) -> "Ports":
        """
        The ports that the PLATFORMA_* variables name.

        Raises:
            StepFailed: a variable is no port number, or two name the same one.
        """
        chosen = {}
        for name, (variable, usual) in VARIABLES.items():
            text = os.environ.get(variable) or str(usual)
            if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
                raise StepFailed(f"{variable}={text} is not a port number", remedy=f"set {variable} to a number up to 65535")
            chosen[name] = int(text)
        if len(set(chosen.values())) < len(chosen):
            raise StepFailed(f"two of the stack's ports are the same: {chosen}", remedy="give each PLATFORMA_*_PORT its own")
        return cls(**chosen)

    @classmethod
    def free(cls) -> "Ports":
        """Four ports that nobody holds now; all four are held open while they are chosen, so that they differ."""
        holders = [socket.create_server(("127.0.0.1", 0)) for _ in fields(cls)]
        try:
            return cls(*(holder.getsockname()[1] for holder in holders))
        finally:
            for holder in holders:
                holder.close()


def free_port() -> int:
    """One more port that nobody holds now."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        return int(holder.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def claim(port: int, service: str, variable: str) -> None:
    """
    Make sure that *service* can have its port.

    Raises:
        StepFailed: another program has it.
    """
    if not is_free(port):
        raise StepFailed(
            f"port {port} for {service} is taken by another program",
            remedy=f"end that program, or move ours: {variable}=<another port> make run (see `ss -ltnp 'sport = :{port}'`)",
        )
