"""The client behind a request to an OAuth endpoint, which authenticates there by itself."""

from collections.abc import Callable, Mapping

from platforma.edge.call import Call
from platforma.oauth.client_authentication import presented_client
from platforma.oauth.errors import InvalidClient
from platforma.oauth.model import Client
from platforma.policy.snapshots import Snapshots


def client_of(
    call: Call, form: Mapping[str, str], authenticate: Callable[..., Client], snapshots: Callable[[], Snapshots]
) -> Client:
    """
    The authenticated client of a tenant in use; the call's event is its tenant's from here on.

    A credential that was genuine and is good no more is told of in its tenant's log as well.

    Raises:
        InvalidClient: it does not authenticate, or its tenant is not in use.
        InvalidRequest: it authenticates in two ways at once.
    """
    try:
        client = authenticate(presented_client(call.headers.get("authorization"), form, call.certificate))
    except InvalidClient as error:
        if error.client is not None:
            call.identify_client(error.client.tenant_id, error.client.id)
        raise
    call.client_id = client.id
    call.identify_client(client.tenant_id, client.id, proven=client.type == "confidential")
    if snapshots().of(client.tenant_id).standing != "active":
        raise InvalidClient
    return client
