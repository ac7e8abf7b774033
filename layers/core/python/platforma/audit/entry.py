"""
One entry of a log: a line of canonical JSON, clear but for what is a person's.

    {..., "sequence": 17, "sealed": {"key": person, "box": base64, "commitments": {field: hex}}, "also_sealed": [...]}

`sealed` is the acting person's, `also_sealed` has the like of every other person that the event holds values of. A box is

    version 0x01 | nonce, 12 | AES-256-GCM of {field: [salt, value]} as canonical JSON

under a key that HMAC-SHA-256 derives from the person's for this tenant and event, bound to tenant, event and person. A
commitment is SHA-256(salt || value), *value* in canonical JSON and *salt* of 128 bits: it proves what a box said without
telling it, and once the person's key is gone it tells nothing. Salt and nonce are derived from the event's seed.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from platforma.audit.canonical import canonical
from platforma.audit.errors import LogBroken
from platforma.audit.model import MAX_ENTRY
from platforma.audit.personal import Values

_VERSION = b"\x01"
_NONCE, _SALT, _KEY = 12, 16, 32


class Named(NamedTuple):
    """A person's key under the name that stands in the entry."""

    name: str
    key: bytes

    def __repr__(self) -> str:
        return f"Named({self.name!r})"


def line_of(body: Mapping[str, Any], values: Values, seed: bytes, *, sequence: int, keys: Mapping[str, Named]) -> bytes:
    """The entry's bytes, without LF; *keys* has the key that each person in *values* is sealed under."""
    entry: dict[str, Any] = {**body, "sequence": sequence}
    boxes = [
        _boxed(found, seed, person=person, named=keys[person], tenant_id=body["tenant_id"], event_id=body["id"])
        for person, found in values.items()
    ]
    if boxes:
        entry["sealed"] = boxes[0]
    if len(boxes) > 1:
        entry["also_sealed"] = boxes[1:]
    return canonical(entry)


def longest_line(body: Mapping[str, Any], values: Values) -> int:
    """Bytes of the longest line that this event can become."""
    stand_in = {person: Named(max(person, "unknown-0000-00-00", key=len), bytes(_KEY)) for person in values}
    return len(line_of(body, values, bytes(_KEY), sequence=2**53 - 1, keys=stand_in))


def surely_fits(body: bytes, values: bytes, found: Values) -> bool:
    """
    Whether the line cannot be too long, told by the lengths of its canonical parts: base64 and the names of fields, said
    twice, are within three times *values*, and a salt, a commitment, a key's name and what frames them within 512 bytes.
    """
    fields = sum(len(inner) for inner in found.values())
    return len(body) + 3 * len(values) + 512 * (1 + len(found) + fields) <= MAX_ENTRY


def boxes_of(entry: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The sealed parts of an entry."""
    return [*([entry["sealed"]] if "sealed" in entry else []), *entry.get("also_sealed", [])]


def open_box(entry: Mapping[str, Any], sealed: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """The values, by path, of one sealed part of *entry*; the errors are those of `open_salted`."""
    return {field: value for field, (_, value) in open_salted(entry, sealed, key).items()}


def open_salted(entry: Mapping[str, Any], sealed: Mapping[str, Any], key: bytes) -> dict[str, tuple[str, Any]]:
    """
    Salt (base64) and value, by path, of one sealed part of *entry*.

    Raises:
        LogBroken: it does not open with this person's key, or says other than its commitments.
    """
    box = base64.b64decode(sealed["box"])
    nonce, ciphertext = box[1 : 1 + _NONCE], box[1 + _NONCE :]
    binding = _binding(entry["tenant_id"], entry["id"])
    try:
        plaintext = AESGCM(hmac.digest(key, binding, "sha256")).decrypt(nonce, ciphertext, binding + sealed["key"].encode())
    except InvalidTag:
        raise LogBroken("A sealed part of an entry does not open.", event_id=entry["id"]) from None
    values = {}
    for field, (salt, value) in json.loads(plaintext).items():
        if commitment(base64.b64decode(salt), value) != sealed["commitments"].get(field):
            raise LogBroken("A sealed value is not the one committed to.", event_id=entry["id"])
        values[field] = (salt, value)
    return values


def salts_of(values: Values, seed: bytes) -> dict[str, str]:
    """Salts that open the commitments to *values*, in base64 by field; none where the seed went with an erased person."""
    if not any(seed):
        return {}
    fields = [field for found in values.values() for field in found]
    return {field: base64.b64encode(_salt(seed, field)).decode() for field in fields}


def commitment(salt: bytes, value: Any) -> str:
    """What an entry says of a value that it does not tell."""
    return hashlib.sha256(salt + canonical(value)).hexdigest()


def _boxed(
    found: Mapping[str, Any], seed: bytes, *, person: str, named: Named, tenant_id: str, event_id: str
) -> dict[str, Any]:
    salts = {field: _salt(seed, field) for field in found}
    plaintext = canonical({field: [base64.b64encode(salts[field]).decode(), value] for field, value in found.items()})
    binding = _binding(tenant_id, event_id)
    nonce = hmac.digest(seed, b"nonce\0" + person.encode(), "sha256")[:_NONCE]
    ciphertext = AESGCM(hmac.digest(named.key, binding, "sha256")).encrypt(nonce, plaintext, binding + named.name.encode())
    return {
        "key": named.name,
        "box": base64.b64encode(_VERSION + nonce + ciphertext).decode(),
        "commitments": {field: commitment(salts[field], value) for field, value in found.items()},
    }


def _salt(seed: bytes, field: str) -> bytes:
    return hmac.digest(seed, b"salt\0" + field.encode(), "sha256")[:_SALT]


def _binding(tenant_id: str, event_id: str) -> bytes:
    return f"platforma audit box 1\0{tenant_id}\0{event_id}\0".encode()
