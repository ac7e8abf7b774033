"""
Makes docs/crypto.md: what is encrypted, signed or hashed here, how, for how long, by whom. Figures are the code's and the
tables' own; a purpose that an envelope is used for and that stands in no row fails the test.

`infra/openapi.py`, which knows where the core is, writes it with the other documents that are generated.
"""

import json
import re
from pathlib import Path
from typing import NamedTuple

from platforma.adapters.kms import PERIOD
from platforma.adapters.vault import ROTATED_EVERY
from platforma.audit.model import HOT_DAYS
from platforma.identity.passwords import PASSWORD
from platforma.keys.envelope import KEY_LIFETIME, KEY_USES
from platforma.keys.objects.model import VERSIONS_KEPT
from platforma.keys.shredding.model import BACKUPS
from platforma.keys.signing import ALGORITHMS
from platforma.keys.signing_key import ROTATED_AFTER
from platforma.keys.stored_secret import BCRYPT_COST, TICKET_SECONDS

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "layers" / "core" / "python"
DOCUMENT = ROOT / "docs" / "crypto.md"
VAULT = ROOT / "infra" / "vault"
_SEALED = {
    "identity": "People's addresses, names, attributes; names of tenants",
    "credential": "Where an API key was last used from",
    "audit": "Events until they are in the log, the index that is searched, hashes of what was entered",
    "person": "Keys of persons, under which their data stands in the log",
    "idempotency": "Answers that are given again",
    "authorization": "Requests to sign in, codes, consents and refresh families",
    "keyring": "Tenants' long-lived data keys: what callers encrypt, names of objects",
    "object": "Manifests, keys, types and parts of objects and uploads",
    "certificate": "Private keys of servers, from the order until they are installed",
    "signing": "Private halves of token signing keys, under a transit key of their own",
}
"""What an envelope seals, by its purpose; one that is not here stands in the document by its name."""
_PLATFORMS = frozenset({"certificate", "signing"})


class Row(NamedTuple):
    """One use of cryptography."""

    what: str
    where: str
    algorithm: str
    moves: str
    owner: str


def purposes() -> set[str]:
    """The purposes that the code seals for, by what it says itself."""
    said = r'^\s*(?:PURPOSE|_PURPOSE|purpose: ClassVar\[str\]) = "(\w+)"$'
    files = (CORE / "platforma").rglob("*.py")
    return {purpose for file in files for purpose in re.findall(said, file.read_text(), re.MULTILINE)}


def rows() -> list[Row]:
    """Every use."""
    roles = json.loads((VAULT / "pki_roles.json").read_text())
    bound = f"{KEY_LIFETIME.seconds // 60} min or {KEY_USES} uses"
    records = f"AES-256-GCM under a key of the record's (HKDF-SHA-256), committed, nonces numbered; a data key for {bound}"
    rotated = f"every {int(ROTATED_EVERY.removesuffix('h')) // 24} days by Vault (a tenant may say otherwise), or at once"
    ends = f"old versions end by a rewrap and are destroyed {BACKUPS.days} days later"
    texts = "AES-256-GCM under a key of each text's (HKDF-SHA-256, 128-bit salt), committed"
    in_kms = f"at once; renewed inside every {PERIOD.days} days (a tenant may say otherwise); {ends}, in seven days more"
    chunks = "AES-256-GCM, a key of each sending of a part (HKDF-SHA-256), counted nonces"
    anew = f"a new key at every write, old versions for {VERSIONS_KEPT.days} days; the manifest with the tenant's key"
    passwords = f"Argon2id, t={PASSWORD.time_cost}, m={PASSWORD.memory_kib} KiB, p={PASSWORD.parallelism}"
    secrets = f"bcrypt, cost {BCRYPT_COST}; HMAC-SHA-256 ticket under the pepper, {TICKET_SECONDS} s"
    by_operator, by_kms = "a version added by the operator", "every year by KMS"
    hybrid = "TLS 1.3 alone; X25519MLKEM768 at Caddy where the client offers it"
    mutual = "TLS 1.3 locally and to Vault, 1.2 or later at API Gateway inside"
    sealed = [
        Row(
            _SEALED.get(purpose, f"Records of {purpose}"),
            f"tables, purpose `{purpose}`",
            records,
            "with the key it is under",
            "platform" if purpose in _PLATFORMS else "tenant",
        )
        for purpose in sorted(purposes())
    ]
    certificates = [
        Row(f"Certificates of a {name}", f"Vault PKI, role `{name}`", f"ECDSA P-{role['key_bits']}", role["ttl"], "platform")
        for name, role in sorted(roles.items())
    ]
    return [
        Row("Tenants' keys", "Vault transit", "AES-256-GCM, derived by tenant and purpose", f"{rotated}; {ends}", "tenant"),
        Row(
            "The same where KMS is chosen",
            "KMS, a key a version",
            "AES-256-GCM, bound by encryption context",
            in_kms,
            "tenant",
        ),
        *sealed,
        Row(
            "What callers encrypt and keep",
            "with the caller",
            texts,
            "a data key a month, with the key it is under",
            "tenant",
        ),
        Row("Objects", "S3, chunks of 1 MiB", chunks, anew, "tenant"),
        Row("Access and ID tokens", "JWKS", ", ".join(ALGORITHMS), f"every {ROTATED_AFTER.days} days", "platform"),
        Row("Checkpoints of logs", "Vault transit", "Ed25519 (RFC 8032) over C2SP notes", by_operator, "platform"),
        Row("Statements of destroyed keys", "Vault transit", "Ed25519 (RFC 8032) over C2SP notes", by_operator, "platform"),
        Row("Entries of logs", "S3, object lock", "SHA-256 Merkle tree (RFC 6962)", "append only", "platform"),
        Row("Passwords", "Identity table", passwords, "at the next sign-in after the profile moved", "tenant"),
        Row("Secrets of keys and clients", "Credential table", secrets, "by rotation; peppers have versions", "tenant"),
        Row("Peppers, keys of lookups and cursors", "Vault kv", "256 random bits, HMAC-SHA-256", by_operator, "platform"),
        Row(
            "Server certificates",
            "ACM, edge",
            "ECDSA P-256",
            "as the authority suggests, or at two thirds of a life",
            "platform",
        ),
        Row("Account at the certificate authority", "Vault kv", "ES256", by_operator, "platform"),
        Row("Tables, buckets, queues, logs", "KMS, a key a trust boundary", "AES-256-GCM", by_kms, "platform"),
        *certificates,
        Row("Requests from outside", "edge", hybrid, "each connection", "platform"),
        Row("Services, functions to Vault", "mutual TLS", mutual, "each connection", "platform"),
    ]


def document() -> str:
    """The document."""
    head = "| what | where | algorithm | how it moves on | whose |\n|---|---|---|---|---|\n"
    lines = "".join("| " + " | ".join(row) + " |\n" for row in rows())
    return f"""# Crypto inventory
Made from the code by `infra/openapi.py`; do not edit.

{head}{lines}
The hot index of the log is kept {HOT_DAYS} days. Primitives are those of pyca/cryptography, bcrypt and argon2-cffi.

## After quantum computers
What is stored is under AES-256 and SHA-256, which Grover's algorithm leaves out of reach; nothing stored is encrypted to a
public key. What travels is safe from being kept now and read later where both ends speak the hybrid X25519MLKEM768: Caddy
does; API Gateway does as AWS brings it to its policies, and is not claimed to. Signatures (tokens, logs, certificates)
would have to be replaced: each has a version or key id beside it, so that a new algorithm is a new key and no new format.
Envelopes, API keys and stored hashes begin with a version.
"""
