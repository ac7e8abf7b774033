"""A log's state as one item of the Audit table, `{log_id}#LOG` / `HEAD`: what is in it, its lease, and its open intent."""

import json

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from platforma.adapters.dynamodb.tables import Item
from platforma.audit.model import Head, Intent
from platforma.kernel.clock import parse_rfc3339, rfc3339

HEAD = "HEAD"
_HASH = 32


class HeadItem(Item):
    """A log's state."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    origin = UnicodeAttribute(null=True)
    size = NumberAttribute(null=True)
    frontier = BinaryAttribute(legacy_encoding=False, null=True)
    newest = UnicodeAttribute(null=True)
    fence = NumberAttribute(null=True)
    rung = NumberAttribute(null=True)
    owner = UnicodeAttribute(null=True)
    until = NumberAttribute(null=True)
    checkpoint_size = NumberAttribute(null=True)
    checkpoint_at = UnicodeAttribute(null=True)
    counted_size = NumberAttribute(null=True)
    counted_newest = UnicodeAttribute(null=True)
    sign_ins_since = UnicodeAttribute(null=True)
    intent_id = UnicodeAttribute(null=True)
    intent = UnicodeAttribute(null=True)


def head_of(log_id: str, item: HeadItem) -> Head:
    """The item as the state it keeps."""
    return Head(
        log_id,
        item.origin or "",
        size=int(item.size or 0),
        frontier=_hashes(item.frontier or b""),
        newest=item.newest or "",
        fence=int(item.fence or 0),
        rung=int(item.rung or 0),
        checkpoint_size=int(item.checkpoint_size or 0),
        checkpoint_at=parse_rfc3339(item.checkpoint_at) if item.checkpoint_at else None,
        counted_size=int(item.counted_size or 0),
        counted_newest=item.counted_newest or "",
        sign_ins_since=parse_rfc3339(item.sign_ins_since) if item.sign_ins_since else None,
        intent=read(item.intent) if item.intent else None,
    )


def counted_from(head: Head) -> list[Action]:
    """What notes that the log's rate is measured from *head* on."""
    return [HeadItem.counted_size.set(head.size), HeadItem.counted_newest.set(head.newest)]


def _hashes(joined: bytes) -> tuple[bytes, ...]:
    return tuple(joined[at : at + _HASH] for at in range(0, len(joined), _HASH))


def written(intent: Intent) -> str:
    """The intent as text."""
    return json.dumps(
        {
            "id": intent.id,
            "first": intent.first,
            "positions": intent.positions,
            "persons": intent.persons,
            "root": intent.root.hex(),
            "frontier": b"".join(intent.frontier).hex(),
            "newest": intent.newest,
            "retain_until": rfc3339(intent.retain_until),
        },
        separators=(",", ":"),
    )


def read(text: str) -> Intent:
    """The intent that *text* tells."""
    document = json.loads(text)
    return Intent(
        id=document["id"],
        first=document["first"],
        positions=tuple(document["positions"]),
        persons=tuple(tuple((person, name) for person, name in persons) for persons in document["persons"]),
        root=bytes.fromhex(document["root"]),
        frontier=_hashes(bytes.fromhex(document["frontier"])),
        newest=document["newest"],
        retain_until=parse_rfc3339(document["retain_until"]),
    )
