"""
The whole system on one machine: OpenBao for Vault, MiniStack for AWS and Caddy for the edge, on loopback only.

`up(home, ports)` starts it, deploys into it and gives what stands in its stack.json; `down(home)` ends what `up` started.
"""

from infra.local.up import down, up

__all__ = ["down", "up"]
