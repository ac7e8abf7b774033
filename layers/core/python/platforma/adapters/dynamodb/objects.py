"""
What is known of objects and uploads, in the Key table.

    {tenant_id}#OBJECT / {object id}                  its newest version
    {tenant_id}#OBJECT#{object id} / {version, 16}    the versions before, while they are kept
    {tenant_id}#MANIFEST#{id} / MANIFEST              what a version is made of
    {tenant_id}#UPLOAD#{id} / UPLOAD                  an upload
    {tenant_id}#UPLOAD#{id} / PART#{number, 4}        one of its parts
    RUBBISH#{day} / {seconds}#{tenant_id}#{kind}#{id} what is to be removed then
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist, PynamoDBException

from platforma.adapters.dynamodb.tables import Item, Tables, cause_of
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.kernel.errors import PreconditionFailed, Unavailable
from platforma.kernel.events import Event
from platforma.keys.objects.errors import UploadEnded
from platforma.keys.objects.ports import Head, Rubbish, UploadRow

_DAYS_BACK = 7  # how long the sweep may have stood still and still find everything
Found = TypeVar("Found", bound=Item)


class ObjectItem(Item):
    """A version of an object; *version* is its number."""

    table = "key"

    class Meta:
        table_name = "unbound"

    version = NumberAttribute()
    deleted = BooleanAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)
    manifest = UnicodeAttribute()


class SealedItem(Item):
    """A manifest, or a part of an upload."""

    table = "key"

    class Meta:
        table_name = "unbound"

    sealed = BinaryAttribute(legacy_encoding=False)


class UploadItem(Item):
    """An upload. *ends* is when it is open no more, in epoch seconds."""

    table = "key"

    class Meta:
        table_name = "unbound"

    status = UnicodeAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)
    ends = NumberAttribute()
    completed_version = NumberAttribute(null=True)


class RubbishItem(Item):
    """Bytes that nothing needs from then on."""

    table = "key"

    class Meta:
        table_name = "unbound"

    place = UnicodeAttribute()


class DynamoDBObjects:
    """`ObjectStore`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def head(self, tenant_id: str, object_id: str, version: int | None = None) -> Head | None:
        """The object's newest version, or the one named."""
        newest = _got(ObjectItem, f"{tenant_id}#OBJECT", object_id)
        if version is None or newest is None or int(newest.version) == version:
            return _head(newest, object_id)
        return _head(_got(ObjectItem, f"{tenant_id}#OBJECT#{object_id}", f"{version:016}"), object_id)

    def heads(self, tenant_id: str, prefix: str, *, limit: int, after: str | None) -> tuple[list[Head], str | None]:
        """Newest versions, in the order of their ids."""
        pk, start = f"{tenant_id}#OBJECT", None
        if after is not None:
            start = {"pk": {"S": pk}, "sk": {"S": after}}
        try:
            found = ObjectItem.query(
                pk,
                ObjectItem.sk.startswith(prefix) if prefix else None,
                consistent_read=True,
                limit=limit,
                last_evaluated_key=start,
            )
            heads = [Head(item.sk, int(item.version), item.deleted, bytes(item.sealed), item.manifest) for item in found]
        except PynamoDBException as error:
            raise Unavailable(cause=cause_of(error)) from error
        return heads, found.last_evaluated_key["sk"]["S"] if found.last_evaluated_key else None

    def manifest(self, tenant_id: str, manifest_id: str) -> bytes | None:
        """The sealed manifest."""
        item = _got(SealedItem, f"{tenant_id}#MANIFEST#{manifest_id}", "MANIFEST")
        return bytes(item.sealed) if item else None

    def write(
        self,
        tenant_id: str,
        head: Head,
        manifest: bytes | None,
        *,
        before: Head | None,
        rubbish: Rubbish | None,
        upload: str | None = None,
        event: Event,
    ) -> None:
        """The new version, the one before beside it, what it will leave, and the event: one transaction."""
        transaction = Transaction(self._tables, self._outbox)
        stands = ObjectItem.pk.does_not_exist() if before is None else ObjectItem.version == before.version
        transaction.put(_item(f"{tenant_id}#OBJECT", head.id, head), stands, refused=PreconditionFailed())
        if before is not None and not before.deleted:
            transaction.put(_item(f"{tenant_id}#OBJECT#{head.id}", f"{before.version:016}", before))
        if manifest is not None:
            transaction.put(SealedItem(f"{tenant_id}#MANIFEST#{head.manifest}", "MANIFEST", sealed=manifest))
        if rubbish is not None:
            transaction.put(_rubbish(rubbish))
        if upload is not None:
            done = [UploadItem.status.set("completed"), UploadItem.completed_version.set(head.version)]
            item = UploadItem(f"{tenant_id}#UPLOAD#{upload}", "UPLOAD")
            transaction.update(item, done, UploadItem.status == "open", refused=UploadEnded())
        transaction.commit(event)

    def start(self, tenant_id: str, row: UploadRow, rubbish: Rubbish, event: Event) -> None:
        """A new upload, and what it will leave."""
        transaction = Transaction(self._tables, self._outbox)
        item = UploadItem(f"{tenant_id}#UPLOAD#{row.id}", "UPLOAD", status=row.status, sealed=row.sealed, ends=row.expires)
        transaction.put(item, UploadItem.pk.does_not_exist(), refused=UploadEnded())
        transaction.put(_rubbish(rubbish))
        transaction.commit(event)

    def upload(self, tenant_id: str, upload_id: str) -> UploadRow | None:
        """The upload of this id."""
        item = _got(UploadItem, f"{tenant_id}#UPLOAD#{upload_id}", "UPLOAD")
        if item is None:
            return None
        version = int(item.completed_version) if item.completed_version is not None else None
        return UploadRow(upload_id, item.status, bytes(item.sealed), int(item.ends), version)

    def put_part(self, tenant_id: str, upload_id: str, number: int, sealed: bytes, event: Event) -> None:
        """What is known of a part, while the upload is open."""
        pk, transaction = f"{tenant_id}#UPLOAD#{upload_id}", Transaction(self._tables, self._outbox)
        transaction.check(UploadItem, pk, "UPLOAD", UploadItem.status == "open", refused=UploadEnded())
        transaction.put(SealedItem(pk, f"PART#{number:04}", sealed=sealed))
        transaction.commit(event)

    def parts(self, tenant_id: str, upload_id: str) -> dict[int, bytes]:
        """What is known of the parts."""
        try:
            pk = f"{tenant_id}#UPLOAD#{upload_id}"
            found = SealedItem.query(pk, SealedItem.sk.startswith("PART#"), consistent_read=True)
            return {int(item.sk.removeprefix("PART#")): bytes(item.sealed) for item in found}
        except PynamoDBException as error:
            raise Unavailable(cause=cause_of(error)) from error

    def abort(self, tenant_id: str, upload_id: str, event: Event) -> None:
        """End an open upload."""
        transaction = Transaction(self._tables, self._outbox)
        item = UploadItem(f"{tenant_id}#UPLOAD#{upload_id}", "UPLOAD")
        ended = [UploadItem.status.set("aborted")]
        transaction.update(item, ended, UploadItem.status == "open", refused=UploadEnded())
        transaction.commit(event)

    def due(self, now: datetime) -> Sequence[Rubbish]:
        """The rubbish of these days that is due."""
        found: list[Rubbish] = []
        try:
            for day in range(_DAYS_BACK, -1, -1):
                pk = f"RUBBISH#{(now - timedelta(days=day)).date().isoformat()}"
                until = f"{int(now.timestamp()):012}~"
                items = RubbishItem.query(pk, RubbishItem.sk < until, consistent_read=True, limit=100)
                found += [_read(item) for item in items]
        except PynamoDBException as error:
            raise Unavailable(cause=cause_of(error)) from error
        return found

    def forget(self, rubbish: Rubbish) -> None:
        """Remove what is known of it, the mark last."""
        tenant_id = rubbish.tenant_id
        try:
            if rubbish.kind == "version":
                object_id, _, version = rubbish.id.partition("#")
                ObjectItem(f"{tenant_id}#OBJECT#{object_id}", f"{int(version):016}").delete()
                container = rubbish.place.strip("/").rpartition("/")[2]
                SealedItem(f"{tenant_id}#MANIFEST#{container}", "MANIFEST").delete()
            else:
                pk = f"{tenant_id}#UPLOAD#{rubbish.id}"
                for number in self.parts(tenant_id, rubbish.id):
                    SealedItem(pk, f"PART#{number:04}").delete()
                UploadItem(pk, "UPLOAD").delete()
            _rubbish(rubbish).delete()
        except PynamoDBException as error:
            raise Unavailable(cause=cause_of(error)) from error


def _got(model: type[Found], pk: str, sk: str) -> Found | None:
    try:
        return model.get(pk, sk, consistent_read=True)
    except DoesNotExist:
        return None
    except PynamoDBException as error:
        raise Unavailable(cause=cause_of(error)) from error


def _head(item: ObjectItem | None, object_id: str) -> Head | None:
    if item is None:
        return None
    return Head(object_id, int(item.version), item.deleted, bytes(item.sealed), item.manifest)


def _item(pk: str, sk: str, head: Head) -> ObjectItem:
    return ObjectItem(pk, sk, version=head.version, deleted=head.deleted, sealed=head.sealed, manifest=head.manifest)


def _rubbish(rubbish: Rubbish) -> RubbishItem:
    seconds = int(rubbish.due.timestamp())
    sk = f"{seconds:012}#{rubbish.tenant_id}#{rubbish.kind}#{rubbish.id}"
    return RubbishItem(f"RUBBISH#{rubbish.due.date().isoformat()}", sk, place=rubbish.place)


def _read(item: RubbishItem) -> Rubbish:
    seconds, tenant_id, kind, rest = item.sk.split("#", 3)
    return Rubbish(datetime.fromtimestamp(int(seconds), UTC), tenant_id, kind, rest, item.place)
