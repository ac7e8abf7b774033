"""An object is deleted: its newest version says so, and the one before is kept for its days like any other."""

from dataclasses import replace

from platforma.kernel.errors import NotFound
from platforma.kernel.events import Attempt
from platforma.keys.envelope import Envelope
from platforma.keys.objects.names import Names
from platforma.keys.objects.ports import ObjectStore
from platforma.keys.objects.put import rubbish_of, standing
from platforma.keys.objects.sealing import opened_heads, sealed_head


def delete_object(
    tenant_id: str,
    key: str,
    *,
    if_match: int | None,
    store: ObjectStore,
    names: Names,
    envelope: Envelope,
    attempt: Attempt,
) -> None:
    """
    Delete the object; numbers of versions go on from here, so that no entity tag ever means two contents.

    Raises:
        NotFound: there is none.
        PreconditionFailed: another version stands.
    """
    before = store.head(tenant_id, names.id_of(tenant_id, key))
    if before is None or before.deleted:
        raise NotFound
    standing(before, if_match)
    (item,) = opened_heads(tenant_id, [before], envelope)
    gone = replace(item, version=before.version + 1, deleted=True, size=0, created_at=attempt.clock())
    changes = {"before": {"version": before.version}, "after": None}
    event = attempt.event("success", resource=item.id, resource_type="object", changes=changes)
    head = sealed_head(tenant_id, gone, before.manifest, envelope)
    store.write(tenant_id, head, None, before=before, rubbish=rubbish_of(tenant_id, before, attempt), event=event)
