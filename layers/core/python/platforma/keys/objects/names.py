"""
Objects' keys: what callers may call an object, and what tables and logs call it instead.

A key may name a person, so it is kept only sealed. What finds it is a keyed hash of each of its segments one after the
other (`/` parts them), each over all before it, under a key of the tenant's own: a prefix that ends with `/` is a prefix of
these as well, and so is listed without opening anything else. The order of a list is that of the hashes, not of the keys.
A table tells how many segments a key has and which objects share which folders, and nothing of their names.
"""

import hashlib
import hmac
import unicodedata
from base64 import urlsafe_b64encode

from platforma.kernel.errors import FieldError, Unprocessable
from platforma.keys.encryption.data import Keyring

MAX_KEY = 1024
MAX_SEGMENTS = 32
_HASH = 16
_NAME = "OBJECTS"


def parse_key(text: object, *, pointer: str = "/key") -> str:
    """
    An object's key: 1 to 1024 bytes of UTF-8 in NFC, segments that are neither empty nor dots, nothing unprintable.

    Two keys that look alike in another normal form would be two objects, and one of them somebody's surprise.

    Raises:
        Unprocessable: it is none.
    """
    fault = None
    if not isinstance(text, str) or not 0 < len(text.encode(errors="surrogatepass")) <= MAX_KEY:
        fault = "A key has 1 to 1024 bytes."
    elif "\ufffd" in text:  # what gateways make of bytes that are no UTF-8, whichever they were
        fault = "A key is UTF-8."
    elif not unicodedata.is_normalized("NFC", text):
        fault = "A key is in Unicode's normal form C."
    elif any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for character in text):
        fault = "A key has no control, format or private characters."
    elif any(segment in ("", ".", "..") for segment in text.split("/")) or "\\" in text:
        fault = "A key has no empty segment, no dot segment and no backslash."
    elif text.count("/") >= MAX_SEGMENTS:
        fault = "A key has at most 32 segments."
    if fault is not None or not isinstance(text, str):
        raise Unprocessable("Not a key.", errors=[FieldError(pointer, fault or "A key is a text.")])
    return text


class Names:
    """The tenants' own names for their keys."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def id_of(self, tenant_id: str, key: str) -> str:
        """What tables and logs call the object with this key."""
        return self._hashed(tenant_id, key.split("/"))

    def folder_of(self, tenant_id: str, prefix: str) -> str:
        """What the ids of all begin with whose keys begin with *prefix*, and of more: its last segment is not in it."""
        return self._hashed(tenant_id, prefix.split("/")[:-1])

    def _hashed(self, tenant_id: str, segments: list[str]) -> str:
        key, path, names = self._keyring.key(tenant_id, _NAME), b"", []
        for segment in segments:
            path += len(segment.encode()).to_bytes(4, "big") + segment.encode()
            names.append(urlsafe_b64encode(hmac.digest(key, path, hashlib.sha256)[:_HASH]).rstrip(b"=").decode())
        return "".join(names)
