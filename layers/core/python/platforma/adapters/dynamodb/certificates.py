"""Server certificates in the Key table: `{PLATFORM}#CERTIFICATES` / `{certificate}`; a private key only sealed."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist

from platforma.adapters.dynamodb.single import answering
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.certificates.model import Certificate, certificate_of, document_of
from platforma.kernel.errors import Conflict, PreconditionFailed
from platforma.kernel.events import Event
from platforma.kernel.tenancy import PLATFORM

_PK = f"{PLATFORM}#CERTIFICATES"


class CertificateItem(Item):
    """A certificate; *state* is JSON."""

    table = "key"

    class Meta:
        table_name = "unbound"

    version = NumberAttribute()
    state = UnicodeAttribute()
    sealed_key = BinaryAttribute(legacy_encoding=False, null=True)


class DynamoDBCertificates:
    """`Certificates`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def add(self, certificate: Certificate, event: Event) -> None:
        """Certificate and event in one transaction."""
        transaction = Transaction(self._tables, self._outbox)
        refused = Conflict("The certificate's id is taken.")
        transaction.put(_item(certificate), CertificateItem.pk.does_not_exist(), refused=refused)
        transaction.commit(event)

    def get(self, certificate_id: str) -> Certificate | None:
        """The one of this id."""
        with answering():
            try:
                return _certificate(CertificateItem.get(_PK, certificate_id, consistent_read=True))
            except DoesNotExist:
                return None

    def listed(self, *, after: str | None, limit: int) -> Sequence[Certificate]:
        """Newest first: ids sort by time."""
        older = CertificateItem.sk < after if after else None
        with answering():
            found = CertificateItem.query(_PK, older, consistent_read=True, scan_index_forward=False, limit=limit)
            return [_certificate(item) for item in found]

    def all(self) -> Iterator[Certificate]:
        """Every one."""
        with answering():
            found = [_certificate(item) for item in CertificateItem.query(_PK, consistent_read=True)]
        return iter(found)

    def replace(self, certificate: Certificate, *events: Event) -> Certificate:
        """Where its version still stands."""
        after = replace(certificate, version=certificate.version + 1)
        transaction = Transaction(self._tables, self._outbox)
        transaction.put(_item(after), CertificateItem.version == certificate.version, refused=PreconditionFailed())
        transaction.commit(*events)
        return after


def _item(certificate: Certificate) -> CertificateItem:
    state = json.dumps(document_of(certificate), separators=(",", ":"))
    return CertificateItem(_PK, certificate.id, version=certificate.version, state=state, sealed_key=certificate.sealed_key)


def _certificate(item: CertificateItem) -> Certificate:
    return certificate_of(item.sk, int(item.version), json.loads(item.state), item.sealed_key)
