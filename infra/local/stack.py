"""Where a stack keeps its things: one folder, four ports, and the addresses that follow from them."""

import os
from dataclasses import dataclass
from pathlib import Path

from infra.local.ports import Ports

ROOT = Path(__file__).resolve().parents[2]
REGION = "eu-central-1"
STACKS = ("platforma-state", "platforma", "platforma-observability")
# Any key named `test` is the emulator's account root; it opens nothing outside this machine's loopback.
ROOT_KEY_ID = "test"
ROOT_SECRET = "test"  # noqa: S105  the emulator's, no secret


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack's folder and ports. Nothing of it need exist yet."""

    home: Path
    ports: Ports

    @classmethod
    def from_environment(cls) -> "Stack":
        """The stack that PLATFORMA_HOME and the PLATFORMA_*_PORT variables name."""
        home = Path(os.environ.get("PLATFORMA_HOME") or ROOT / ".local").expanduser()
        return cls(home if home.is_absolute() else ROOT / home, Ports.from_environment())

    @property
    def url(self) -> str:
        """The external address, which is the issuer too."""
        return f"https://localhost:{self.ports.edge}"

    @property
    def internal_url(self) -> str:
        """The mutual TLS address."""
        return f"https://localhost:{self.ports.internal}"

    @property
    def aws_url(self) -> str:
        """The emulator's endpoint."""
        return f"http://127.0.0.1:{self.ports.aws}"

    @property
    def vault_addr(self) -> str:
        """OpenBao's address."""
        return f"https://127.0.0.1:{self.ports.vault}"

    def folder(self, name: str) -> Path:
        """A folder of the stack's own, made when missing and closed to others."""
        place = self.home / name
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        return place

    @property
    def certificates(self) -> Path:
        """Certificates and their keys."""
        return self.folder("certificates")

    @property
    def logs(self) -> Path:
        """What the servers and the steps say."""
        return self.folder("logs")

    @property
    def ca_file(self) -> Path:
        """The one root that every certificate of this stack leads to."""
        return self.certificates / "ca.pem"

    @property
    def stack_file(self) -> Path:
        """What programs that follow read."""
        return self.home / "stack.json"
