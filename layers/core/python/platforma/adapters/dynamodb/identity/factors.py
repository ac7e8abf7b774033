"""Factors in DynamoDB: `FACTORS#{user id}` beside the user, the whole record sealed under the tenant's key."""

import json
from collections.abc import Iterator

from pynamodb.expressions.condition import Condition

from platforma.adapters.dynamodb.identity.items import FactorsItem, UserItem, read, reading
from platforma.adapters.dynamodb.identity.people import PURPOSE
from platforma.adapters.dynamodb.tables import Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.identity.factors.model import Factors
from platforma.kernel.errors import PreconditionFailed
from platforma.kernel.events import Event
from platforma.keys.envelope import Envelope

_PREFIX, _PAGE = "FACTORS#", 100


class DynamoFactors:
    """`FactorStore`."""

    def __init__(self, tables: Tables, outbox: Outbox, envelope: Envelope) -> None:
        self._tables, self._outbox, self._envelope = tables, outbox, envelope

    def read(self, tenant_id: str, user_id: str) -> Factors:
        """The person's."""
        item = read(FactorsItem, tenant_id, f"FACTORS#{user_id}")
        if item is None:
            return Factors(tenant_id, user_id)
        document = json.loads(self._envelope.open(tenant_id, PURPOSE, f"{user_id}/factors", item.box))
        return Factors.of_document(tenant_id, user_id, int(item.version), document)

    def every(self, tenant_id: str) -> Iterator[Factors]:
        """Each person's that has any, opened by the page."""
        after = None
        while True:
            with reading():
                found = FactorsItem.query(
                    tenant_id,
                    FactorsItem.sk.startswith(_PREFIX),
                    consistent_read=True,
                    limit=_PAGE,
                    last_evaluated_key=after,
                )
                items, after = list(found), found.last_evaluated_key
            records = [(f"{item.sk.removeprefix(_PREFIX)}/factors", item.box) for item in items]
            for item, document in zip(items, self._envelope.open_all(tenant_id, PURPOSE, records), strict=True):
                user_id = item.sk.removeprefix(_PREFIX)
                yield Factors.of_document(tenant_id, user_id, int(item.version), json.loads(document))
            if after is None:
                return

    def put(self, before: Factors, after: Factors, event: Event | None) -> None:
        """Put *after* in the place of *before*."""
        plaintext = json.dumps(after.document(), separators=(",", ":")).encode()
        box = self._envelope.seal(after.tenant_id, PURPOSE, f"{after.user_id}/factors", plaintext)
        item = FactorsItem(after.tenant_id, f"FACTORS#{after.user_id}", box=box, version=after.version)
        was: Condition = FactorsItem.version == before.version if before.version else FactorsItem.pk.does_not_exist()
        t = Transaction(self._tables, self._outbox)
        t.check(UserItem, after.tenant_id, f"USER#{after.user_id}", UserItem.pk.exists(), refused=PreconditionFailed())
        t.put(item, was, refused=PreconditionFailed())
        t.commit(*([event] if event is not None else []))
