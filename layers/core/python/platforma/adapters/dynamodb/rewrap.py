"""
Jobs that move records to newer keys, in the Key table.

    {tenant_id}#REWRAP / JOB     the tenant's last job
    REWRAP / {tenant_id}         there is one that is not done
    REWRAP / PASS                the pass that runs, or ran last
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist, PynamoDBException

from platforma.adapters.dynamodb.tables import Item, Tables, cause_of
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.kernel.errors import Unavailable
from platforma.kernel.events import Event
from platforma.keys.encryption.errors import Moved
from platforma.keys.encryption.progress import Job, Pass, Tally

_OPEN, _PASS = "REWRAP", "PASS"


class RewrapItem(Item):
    """A job, a pass, or the mark that a job is open; *document* is JSON."""

    table = "key"

    class Meta:
        table_name = "unbound"

    revision = NumberAttribute()
    document = UnicodeAttribute(null=True)


class DynamoDBRewraps:
    """`RewrapStore`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def job(self, tenant_id: str) -> Job | None:
        """The tenant's last job."""
        document = _document(f"{tenant_id}#REWRAP", "JOB")
        return Job(**_job_fields(document)) if document else None

    def open_jobs(self) -> Sequence[Job]:
        """Jobs that are not done."""
        try:
            marks = [item.sk for item in RewrapItem.query(_OPEN, RewrapItem.sk.startswith("ten_"), consistent_read=True)]
        except PynamoDBException as error:
            raise Unavailable(cause=cause_of(error)) from error
        return [job for tenant_id in marks if (job := self.job(tenant_id)) is not None]

    def put_job(self, job: Job, *, event: Event | None) -> None:
        """Store *job* after the revision before it."""
        transaction = Transaction(self._tables, self._outbox)
        item = RewrapItem(f"{job.tenant_id}#REWRAP", "JOB", revision=job.revision, document=_text(asdict(job)))
        transaction.put(item, _next(job.revision), refused=Moved())
        mark = RewrapItem(_OPEN, job.tenant_id, revision=job.revision)
        if job.status == "done":
            transaction.delete(mark)
        else:
            transaction.put(mark)
        transaction.commit(*([event] if event else []))

    def current_pass(self) -> Pass | None:
        """The pass that runs, or ran last."""
        document = _document(_OPEN, _PASS)
        if document is None:
            return None
        tallies = {
            tenant: Tally(**{**each, "records": _counts(each["records"])}) for tenant, each in document["tallies"].items()
        }
        return Pass(**{**_times(document), "tallies": tallies})

    def put_pass(self, going: Pass) -> None:
        """Store *going* after the revision before it."""
        transaction = Transaction(self._tables)
        item = RewrapItem(_OPEN, _PASS, revision=going.revision, document=_text(asdict(going)))
        transaction.put(item, _next(going.revision), refused=Moved())
        transaction.commit()


def _next(revision: int) -> Any:
    return RewrapItem.pk.does_not_exist() if revision == 1 else RewrapItem.revision == revision - 1


def _document(pk: str, sk: str) -> dict[str, Any] | None:
    try:
        text = RewrapItem.get(pk, sk, consistent_read=True).document
    except DoesNotExist:
        return None
    except PynamoDBException as error:
        raise Unavailable(cause=cause_of(error)) from error
    return dict(json.loads(text)) if text else None


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, default=datetime.isoformat, separators=(",", ":"))


def _times(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(value) if value and (name.endswith("_at") or name == "counted_pass") else value
        for name, value in document.items()
    }


def _job_fields(document: Mapping[str, Any]) -> dict[str, Any]:
    return {**_times(document), "records": _counts(document["records"])}


def _counts(records: Mapping[str, int]) -> dict[int, int]:
    """JSON has no numbers for names."""
    return {int(version): count for version, count in records.items()}
