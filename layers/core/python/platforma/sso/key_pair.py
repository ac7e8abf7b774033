"""A key of a connection's service provider, and its certificate."""

from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key of ours (PKCS 8, PEM) and its certificate (base64 of DER), which nobody but the metadata vouches for."""

    key: str = field(repr=False)
    certificate: str
    not_after: datetime

    def private_key(self) -> rsa.RSAPrivateKey:
        """The key itself."""
        loaded = serialization.load_pem_private_key(self.key.encode(), None)
        assert isinstance(loaded, rsa.RSAPrivateKey)
        return loaded
