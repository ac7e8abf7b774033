"""
Cursors of lists: opaque, bound to tenant and query, and tamper-proof.

A cursor is base64url of a 16-byte tag (HMAC-SHA-256, truncated) and the position. The key is Vault's.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable

from platforma.kernel.errors import FieldError, Unprocessable

_TAG = 16


class Cursors:
    """Seals and opens positions; *key* is asked when a cursor is first met."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._key = key

    def seal(self, tenant_id: str, query: str, position: str | None) -> str | None:
        """The cursor for *position* in this tenant's *query*; None at the end."""
        if position is None:
            return None
        raw = position.encode()
        return base64.urlsafe_b64encode(self._tag(tenant_id, query, raw) + raw).rstrip(b"=").decode()

    def open(self, tenant_id: str, query: str, cursor: str | None) -> str | None:
        """
        The position that *cursor* stands for.

        Raises:
            Unprocessable: not a cursor of ours, or another tenant's, or another query's.
        """
        if cursor is None:
            return None
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            tag, position = raw[:_TAG], raw[_TAG:]
            if hmac.compare_digest(tag, self._tag(tenant_id, query, position)):
                return position.decode()
        except (binascii.Error, ValueError):
            pass
        raise Unprocessable("The cursor does not belong to this query.", errors=[FieldError("/cursor", "Not a cursor.")])

    def _tag(self, tenant_id: str, query: str, position: bytes) -> bytes:
        message = b"\0".join((tenant_id.encode(), query.encode(), position))
        return hmac.digest(self._key(), message, hashlib.sha256)[:_TAG]
