"""
The manifest: every file of an export with its hash, the checkpoints that its proofs lead to, and a signature over all.

It is JSON; `signature` is Ed25519 by the audit checkpoint key over `platforma export manifest 1`, LF, and the canonical JSON
of everything else. The key's name is the first log's origin.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from platforma.audit.canonical import canonical
from platforma.audit.errors import LogBroken
from platforma.audit.exports.model import Export, File
from platforma.audit.note import VerifierKey, keys_of
from platforma.audit.ports import CheckpointSigner
from platforma.kernel.clock import Clock, rfc3339

_CONTEXT = b"platforma export manifest 1\n"


def signed_manifest(
    export: Export,
    files: Iterable[File],
    logs: Mapping[str, Mapping[str, Any]],
    origin: str,
    signer: CheckpointSigner,
    clock: Clock,
) -> bytes:
    """
    The manifest's bytes. *files* are all of the export's; *logs* has size and checkpoint by the logs' ids.

    Raises:
        LogBroken: the signature is by none of the signer's keys.
        Unavailable: the signer does not answer.
    """
    document = {
        "export_id": export.id,
        "tenant_id": export.tenant_id,
        "format": export.format,
        "from": export.since,
        "to": export.until,
        "filter": dict(export.filter),
        "requested_by": export.requested_by,
        "created_at": export.created_at,
        "finished_at": rfc3339(clock()),
        "events": export.events,
        "files": [file.as_json() for file in files],
        "logs": {log_id: dict(log) for log_id, log in logs.items()},
    }
    message = _CONTEXT + canonical(document)
    signature = signer.sign(message)
    for key in keys_of(origin, signer):
        if _is_by(key, message, signature):
            signed = {"key": str(key), "value": base64.b64encode(signature).decode()}
            return json.dumps({**document, "signature": signed}, indent=1).encode() + b"\n"
    raise LogBroken("A manifest's signature is by none of our keys.")


def verify_manifest(body: bytes, trusted: Iterable[VerifierKey]) -> dict[str, Any]:
    """
    The manifest without its signature.

    Raises:
        LogBroken: it is none, or signed by none of these keys.
    """
    try:
        document = json.loads(body)
        signed = document.pop("signature")
        signature, message = base64.b64decode(signed["value"], validate=True), _CONTEXT + canonical(document)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        raise LogBroken("Not a manifest.") from None
    if not any(_is_by(key, message, signature) for key in trusted):
        raise LogBroken("The manifest is signed by no known key.")
    return dict(document)


def _is_by(key: VerifierKey, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except InvalidSignature:
        return False
    return True
