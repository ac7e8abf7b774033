"""Statements of ours: signed notes (C2SP) under `<host>/statements`, by a key that signs no checkpoint."""

from typing import Any

from platforma.audit import note
from platforma.audit.ports import CheckpointSigner
from platforma.keys.shredding import Shredding


class Statements:
    """`platforma.keys.shredding.ports.Statements`. Its key's name is of this deployment's host."""

    def __init__(self, host: str, signer: CheckpointSigner) -> None:
        self._name, self._signer = f"{host}/statements", signer

    def sign(self, text: str) -> str:
        """*text*, of whole lines, as a signed note."""
        return note.signed(self._name, text, self._signer).decode()

    def keys(self) -> list[str]:
        """What verifies statements, the current key first."""
        return [str(key) for key in note.keys_of(self._name, self._signer)]


def shredding_shown(done: Shredding, verifier_keys: list[str]) -> dict[str, Any]:
    """The shredding as platform clients are shown it."""
    return {
        "tenant_id": done.tenant_id,
        "keys": [{"id": done.key_id, "versions": list(done.versions)}],
        "destroyed_at": done.destroyed_at,
        "logs": [{"id": log.id, "size": log.size, "root": log.root} for log in done.logs],
        "backups_until": done.backups_until,
        "statement": done.statement,
        "verifier_keys": verifier_keys,
    }
