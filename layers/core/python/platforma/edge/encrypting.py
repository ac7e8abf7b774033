"""What callers send to be encrypted, read; and a tenant's key as they are shown it."""

import base64
from datetime import datetime
from typing import Any

from platforma.keys.model import TenantKey


def key_shown(key: TenantKey, now: datetime) -> dict[str, Any]:
    """The key without anything secret: there is nothing secret in what its keeper tells."""
    return {
        "id": f"tenant-{key.tenant_id}",
        "type": "aes256-gcm96",
        "latest_version": key.latest_version,
        "min_decryption_version": key.min_decryption_version,
        "auto_rotate_period": int(key.rotated_every.total_seconds()) if key.rotated_every else None,
        "next_rotation": key.next_rotation,
        "versions": [
            {
                "version": version,
                "created_at": made,
                "age": max(0, int((now - made).total_seconds())),
                "decrypts": version >= key.min_decryption_version,
            }
            for version, made in sorted(key.versions.items())
        ],
    }


def text_of(raw: bytes) -> str:
    """*raw* as base64."""
    return base64.b64encode(raw).decode()


def bytes_of(text: str) -> bytes:
    """What *text*, held to the schema's form, stands for."""
    return base64.b64decode(text)
