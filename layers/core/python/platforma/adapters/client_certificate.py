"""A client certificate as TLS libraries want it: in files."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Paths of PEM files: *certificate* is the leaf and its intermediates, *ca* what the other side is verified with."""

    certificate: Path
    private_key: Path
    ca: Path
