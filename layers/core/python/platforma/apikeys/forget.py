"""What was a person's goes with the person."""

from collections.abc import Iterator

from platforma.apikeys.model import APIKey
from platforma.apikeys.ports import Keys

_PAGE = 100


def keys_of_owner(tenant_id: str, owner_id: str, *, keys: Keys) -> Iterator[APIKey]:
    """Every key of this owner, oldest first."""
    after = None
    while True:
        page, after = keys.page(tenant_id, limit=_PAGE, after=after, owner_id=owner_id)
        yield from page
        if after is None:
            return


def forget_keys(tenant_id: str, owner_id: str, *, keys: Keys) -> int:
    """
    Leave nothing of the keys of an owner who is gone; how many there were. What was made through them stays revoked.

    Raises:
        Unavailable: some may be left; doing it again takes the rest.
    """
    found = list(keys_of_owner(tenant_id, owner_id, keys=keys))
    for key in found:
        keys.forget(key)
    return len(found)
