"""What has a tenant's logs settled: a call that is waited for, before the tenant's key is destroyed."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from platforma.audit.attend import Attendant
from platforma.audit.tree import root_of
from platforma.kernel.errors import NotFound
from platforma.kernel.ids import is_id


def is_settling(event: Mapping[str, Any]) -> bool:
    """Whether *event* asks for it."""
    return event.get("job") == "settle"


def settle_logs(event: Mapping[str, Any], attendant: Attendant) -> dict[str, Any]:
    """
    Enter all that waits for the logs of the tenant that *event* names, and publish them; how far they have come.

    Raises:
        PlatformaError: a log could not be settled.
        NotFound: that is no tenant's id.
    """
    tenant_id = event.get("tenant_id")
    if not isinstance(tenant_id, str) or not is_id(tenant_id, "ten"):
        raise NotFound
    heads = attendant.settle(tenant_id)
    if heads is None:
        return {"busy": True}
    logs = [{"id": head.log_id, "size": head.size, "root": b64encode(root_of(head.frontier)).decode()} for head in heads]
    return {"busy": False, "logs": logs}
