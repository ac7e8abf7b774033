"""
Recovery codes: ten, each good once in place of an authenticator app that is lost.

80 random bits each, so that a plain hash is enough: there is nothing to guess (NIST SP 800-63B section 3.1.2.2).
"""

import base64
import secrets as entropy
from hashlib import sha256

from platforma.identity.factors.ports import FactorStore
from platforma.kernel.errors import NotFound
from platforma.kernel.events import Attempt

CODES = 10


def new_recovery_codes() -> tuple[str, ...]:
    """Ten codes as they are shown: `abcd-efgh-ijkl-mnop`."""
    texts = (base64.b32encode(entropy.token_bytes(10)).decode().lower() for _ in range(CODES))
    return tuple("-".join(text[place : place + 4] for place in range(0, 16, 4)) for text in texts)


def hashed(code: str) -> str:
    """What is kept of a code; hyphens, blanks and case are the writer's own."""
    plain = "".join(code.replace("-", "").split()).lower()
    return sha256(b"recovery code\0" + plain.encode("utf-8", "surrogatepass")).hexdigest()


def renew_recovery_codes(tenant_id: str, user_id: str, *, factors: FactorStore, attempt: Attempt) -> tuple[str, ...]:
    """
    Ten new codes, told this once; the old ones are good for nothing.

    Raises:
        NotFound: there is no authenticator app that they would stand for.
    """
    before = factors.read(tenant_id, user_id)
    if not before.second:
        raise NotFound("There is no authenticator app.")
    codes = new_recovery_codes()
    event = attempt.event("success", resource="recovery_codes", resource_type="factor")
    factors.put(before, before.changed(recovery=tuple(map(hashed, codes))), event)
    return codes
