"""Reading keys; of a secret there is nothing to read."""

from platforma.apikeys.model import APIKey
from platforma.apikeys.ports import Keys


def get_key(tenant_id: str, key_id: str, *, keys: Keys) -> APIKey:
    """
    The tenant's key of this id, revoked and expired ones too.

    Raises:
        NotFound: none, or another tenant's.
    """
    return keys.get(tenant_id, key_id)


def list_keys(
    tenant_id: str, *, keys: Keys, limit: int = 50, after: str | None = None, owner_id: str | None = None
) -> tuple[tuple[APIKey, ...], str | None]:
    """
    A page of the tenant's keys, oldest first, and the position to ask for the next one *after* (None: there is none).

    With *owner_id* only that owner's; such a page may be short, or empty, while there are more.
    """
    return keys.page(tenant_id, limit=limit, after=after, owner_id=owner_id)
