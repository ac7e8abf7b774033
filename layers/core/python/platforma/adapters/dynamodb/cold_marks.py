"""
How far logs are compacted, in the Audit table.

    {tenant}#COLD / {log_id}    entries that are, up to where more are being so, the oldest day that anything was written for
"""

from collections.abc import Mapping

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError

from platforma.adapters.dynamodb.single import answering
from platforma.adapters.dynamodb.tables import Item, Tables, code_of
from platforma.audit.cold.ports import Mark
from platforma.audit.model import tenant_of


class MarkItem(Item):
    """How far one log is."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    entries = NumberAttribute()
    until = NumberAttribute()
    first_day = UnicodeAttribute(null=True)


class DynamoDBMarks:
    """`Marks`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def of(self, tenant_id: str) -> Mapping[str, Mark]:
        """One partition."""
        with answering():
            return {
                item.sk: Mark(item.sk, int(item.entries), int(item.until), item.first_day or "")
                for item in MarkItem.query(f"{tenant_id}#COLD", consistent_read=True)
            }

    def replace(self, before: Mark, after: Mark) -> bool:
        """A conditional put."""
        stands = (MarkItem.entries == before.entries) & (MarkItem.until == before.until)
        if before == Mark(before.log_id):
            stands |= MarkItem.pk.does_not_exist()
        item = _item(after)
        with answering():
            try:
                item.save(stands)
            except PutError as error:
                if code_of(error) == "ConditionalCheckFailedException":
                    return False
                raise
        return True


def _item(mark: Mark) -> MarkItem:
    return MarkItem(
        f"{tenant_of(mark.log_id)}#COLD",
        mark.log_id,
        entries=mark.entries,
        until=mark.until,
        first_day=mark.first_day or None,
    )
