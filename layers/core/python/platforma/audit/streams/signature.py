"""
Messages signed as Standard Webhooks 1.0 has it: HMAC-SHA-256 over `{id}.{timestamp}.{body}`, in `webhook-signature`.

A secret is `whsec_` and the base64 of 32 random bytes, which are the key.
"""

import base64
import hmac
import os
from collections.abc import Sequence

PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> str:
    """A fresh secret."""
    return PREFIX + base64.b64encode(os.urandom(_BYTES)).decode()


def signed_headers(message_id: str, timestamp: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The headers of a message, signed by each of the *secrets*."""
    content = f"{message_id}.{timestamp}.".encode() + body
    keys = [base64.b64decode(secret.removeprefix(PREFIX)) for secret in secrets]
    signatures = [f"v1,{base64.b64encode(hmac.digest(key, content, 'sha256')).decode()}" for key in keys]
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": " ".join(signatures)}
