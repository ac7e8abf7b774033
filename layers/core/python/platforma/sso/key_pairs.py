"""A connection's keys, made when they are first needed and followed by new ones before they end."""

from platforma.kernel.clock import Clock
from platforma.kernel.errors import PreconditionFailed
from platforma.sso.key_pair import RENEWED_BEFORE, KeyPair, due_pairs
from platforma.sso.model import Connection
from platforma.sso.ports import ProviderKeys


def current_pairs(connection: Connection, *, provider_keys: ProviderKeys, clock: Clock) -> tuple[KeyPair, ...]:
    """
    The connection's pairs, the one that signs first. Of several who make them at once, one does.

    Raises:
        Unavailable: they can neither be read nor be made.
        PreconditionFailed: the connection is gone.
    """
    now = clock()
    kept, version = provider_keys.read(connection)
    if len(kept) >= 2 and kept[0].not_after - now > RENEWED_BEFORE:
        return kept
    pairs = due_pairs(kept, connection.id, now)
    try:
        provider_keys.put(connection, pairs, replacing=version)
    except PreconditionFailed:
        kept, later = provider_keys.read(connection)
        if later == version:
            raise
        return kept
    return pairs
