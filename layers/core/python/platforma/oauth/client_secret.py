"""
The form of a client secret: `cs_`, pepper version (1), 256 random bits (43), keyed checksum (11), in base62.

The checksum is bound to the client. So a secret that we never issued to this very client is refused without a read or a
hash, at the same cost whether the client exists or not: who holds no secret of a client can neither learn of it by time nor
make us pay for bcrypt.
"""

import hashlib
import hmac
import re
import secrets as entropy
from dataclasses import dataclass, field
from datetime import datetime

from platforma.kernel.ids import new_id
from platforma.keys.errors import UnknownPepper
from platforma.keys.model import Pepper
from platforma.keys.ports import Secrets
from platforma.keys.stored_secret import store
from platforma.oauth.errors import InvalidClient
from platforma.oauth.model import ClientSecret

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(r"\Acs_([0-9A-Za-z])([0-9A-Za-z]{43})([0-9A-Za-z]{11})\Z", re.ASCII)
_CHECKSUM_PURPOSE = b"platforma oauth client secret checksum v1\x00"


@dataclass(frozen=True, slots=True)
class GenuineSecret:
    """A secret that we once issued to this client. Whether it is still good is not known yet."""

    random: str = field(repr=False)
    selector: str


def new_client_secret(client_id: str, *, secrets: Secrets, now: datetime) -> tuple[str, ClientSecret]:
    """
    A fresh secret of the client, as it is shown this once, and what is kept of it.

    Its id is a TypeID without a prefix: it is a part of the client, and known by it alone.
    """
    pepper = secrets.pepper()
    head = f"cs_{_ALPHABET[pepper.version]}"
    random = _base62(entropy.randbits(256), 43)
    selector = _checksum(client_id, head + random, pepper)
    stored = store(random, bound_to=client_id, pepper=pepper, now=now)
    kept = ClientSecret(id=new_id("cli").removeprefix("cli_"), selector=selector, stored=stored, created_at=now)
    return head + random + selector, kept


def genuine(presented: str, *, client_id: str, secrets: Secrets) -> GenuineSecret:
    """
    Tell a secret that we issued to *client_id* from anything else, in constant time.

    Raises:
        InvalidClient: it is not one.
    """
    if not (match := _FORM.match(presented)):
        raise InvalidClient
    try:
        pepper = secrets.pepper(_ALPHABET.index(match[1]))
    except UnknownPepper:
        raise InvalidClient from None
    if not hmac.compare_digest(_checksum(client_id, presented[: match.start(3)], pepper), match[3]):
        raise InvalidClient
    return GenuineSecret(match[2], match[3])


def _checksum(client_id: str, text: str, pepper: Pepper) -> str:
    mac = hmac.digest(pepper.key, _CHECKSUM_PURPOSE + f"{client_id}\x00{text}".encode(), hashlib.sha256)
    return _base62(int.from_bytes(mac[:8], "big"), 11)


def _base62(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits = _ALPHABET[digit] + digits
    return digits
