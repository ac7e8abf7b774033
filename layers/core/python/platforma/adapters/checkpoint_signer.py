"""The checkpoint key in Vault: an Ed25519 key of transit that never leaves it."""

from collections.abc import Mapping

from platforma.adapters.vault import Vault

KEY = "audit-checkpoint"


class VaultCheckpointSigner:
    """`CheckpointSigner`."""

    def __init__(self, vault: Vault, key: str = KEY) -> None:
        self._vault = vault
        self._key = key

    def sign(self, message: bytes) -> bytes:
        """By the newest version."""
        return self._vault.sign_ed25519(self._key, message)

    def public_keys(self) -> Mapping[int, bytes]:
        """Of every version that Vault still has."""
        return self._vault.ed25519_public_keys(self._key)
