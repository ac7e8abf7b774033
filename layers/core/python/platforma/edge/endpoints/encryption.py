"""Encryption: what callers keep sealed, and their tenant's key."""

from platforma.edge.endpoints.row import Endpoint, row

ENDPOINTS: tuple[Endpoint, ...] = (
    row(
        *("POST", "/v1/encryption/encrypt", "crypto.data.encrypt", "keys_encryption", "permission"),
        "Encrypt for this tenant and a context",
        body="encryption.Encrypt",
        answer="encryption.Encrypted",
        max_body=1_600_000,
    ),
    row(
        *("POST", "/v1/encryption/decrypt", "crypto.data.decrypt", "keys_encryption", "permission"),
        "Decrypt what was encrypted here, with the same context",
        body="encryption.Decrypt",
        answer="encryption.Decrypted",
        max_body=1_600_000,
    ),
    row(
        *("GET", "/v1/encryption/keys", "crypto.keys.list", "keys_encryption", "permission"),
        "The versions of the tenant's key",
        answer="encryption.TenantKeyList",
    ),
    row(
        *("POST", "/v1/encryption/keys/rotate", "crypto.keys.rotate", "keys_encryption", "permission"),
        "Give the tenant's key a new version now",
        answer="encryption.TenantKeyView",
    ),
    row(
        *("POST", "/v1/encryption/keys/rotation-period", "crypto.keys.schedule", "keys_encryption", "permission"),
        "Say how often the tenant's key gets a new version",
        body="encryption.RotationPeriod",
        answer="encryption.TenantKeyView",
    ),
    row(
        *("POST", "/v1/encryption/rewrap", "crypto.rewraps.start", "keys_encryption", "permission"),
        "Move every record to the newest version of the tenant's key",
        answer="encryption.RewrapView",
        query="encryption.RewrapQuery",
        status=202,
    ),
    row(
        *("GET", "/v1/encryption/rewrap", "crypto.rewraps.get", "keys_encryption", "permission"),
        "How far records were moved",
        answer="encryption.RewrapView",
    ),
)
