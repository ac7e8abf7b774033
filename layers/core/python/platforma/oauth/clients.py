"""
The use cases of a tenant's clients: create, get, list, patch, delete (RFC 7591, by an administrator's hand).

Another tenant's client is none of the caller's, and neither is one that was deleted.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from platforma.kernel.clock import Clock
from platforma.kernel.errors import NotFound, PreconditionFailed
from platforma.kernel.events import Attempt
from platforma.kernel.ids import is_id, new_id
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.ports import Secrets
from platforma.oauth.client_secret import new_client_secret
from platforma.oauth.model import SECRET_METHODS, Change, Client
from platforma.oauth.ports import Clients
from platforma.oauth.registration import CHANGEABLE, DEFAULTS, FIELDS, checked

_RACES = 5


def create_client(
    fields: Mapping[str, Any],
    *,
    tenant_id: str,
    attempt: Attempt,
    clients: Clients,
    secrets: Secrets,
    clock: Clock,
    registration_token: str | None = None,
) -> tuple[Client, str | None]:
    """
    A new client and, for one that authenticates by it, its first secret, which is told this once.

    *registration_token* is the hash of what it manages its own registration with.

    Raises:
        Unprocessable: a field is at fault.
    """
    registration = checked(fields, known=FIELDS, current=DEFAULTS, platform=tenant_id == PLATFORM)
    client = Client(
        id=new_id("cli"), tenant_id=tenant_id, created_at=clock(), registration_token=registration_token, **registration
    )
    shown = None
    if client.authentication in SECRET_METHODS:
        shown, secret = new_client_secret(client.id, secrets=secrets, now=client.created_at)
        client = replace(client, secrets=(secret,))
    changes = {"after": client.as_json()}
    clients.add(client, attempt.event("success", resource=client.id, resource_type="oauth_client", changes=changes))
    return client, shown


def get_client(client_id: str, *, tenant_id: str, clients: Clients) -> Client:
    """
    The tenant's client.

    Raises:
        NotFound: it has none of this id.
    """
    client = clients.get(client_id) if is_id(client_id, "cli") else None
    if client is None or client.tenant_id != tenant_id or client.status == "deleted":
        raise NotFound
    return client


def list_clients(tenant_id: str, *, limit: int, after: str | None, clients: Clients) -> tuple[list[Client], str | None]:
    """A page of the tenant's clients, oldest first, and the position that the next one begins behind."""
    return clients.page(tenant_id, limit=limit, after=after)


def patch_client(
    client_id: str,
    fields: Mapping[str, Any],
    *,
    tenant_id: str,
    if_version: int | None,
    attempt: Attempt,
    clients: Clients,
) -> Client:
    """
    The client with *fields* in place of what it had; only if it is still at *if_version* (None: at any).

    `status` suspends it (`suspended`: its secrets and live tokens are good no more) and brings it back (`active`). A patch
    that changes nothing makes no new version.

    Raises:
        NotFound: the tenant has no such client.
        PreconditionFailed: it is at another version.
        Unprocessable: a field is at fault.
    """

    def patched(client: Client) -> Client:
        current = {name: getattr(client, name) for name in DEFAULTS} | {"name": client.name}
        registration = checked(fields, known=CHANGEABLE, current=current, platform=client.platform)
        return client if registration == current else client.changed(**registration)

    return change_client(client_id, patched, tenant_id=tenant_id, if_version=if_version, attempt=attempt, clients=clients)


def delete_client(client_id: str, *, tenant_id: str, if_version: int | None, attempt: Attempt, clients: Clients) -> None:
    """
    End the client, its secrets and its live tokens.

    Raises:
        NotFound: the tenant has no such client.
        PreconditionFailed: it is at another version than *if_version*.
    """

    def deleted(client: Client) -> Client:
        return client.changed(status="deleted", secrets=())

    change_client(client_id, deleted, tenant_id=tenant_id, if_version=if_version, attempt=attempt, clients=clients)


def change_client(
    client_id: str,
    change: Callable[[Client], Client],
    *,
    tenant_id: str,
    if_version: int | None,
    attempt: Attempt,
    clients: Clients,
) -> Client:
    """
    Apply *change* to the client as it is; where any version will do, once more if another change came between.

    Raises:
        NotFound: the tenant has no such client.
        PreconditionFailed: it is at another version than *if_version*, or changes too fast.
    """
    for last in (*(False,) * (_RACES - 1), True):
        before = get_client(client_id, tenant_id=tenant_id, clients=clients)
        if if_version not in (None, before.version):
            raise PreconditionFailed
        after = change(before)
        if after is before:
            return before
        step = Change(before, after)
        event = attempt.event("success", resource=client_id, resource_type="oauth_client", changes=step.as_json())
        try:
            clients.change(step, event)
        except PreconditionFailed:
            if last or if_version is not None:
                raise
        else:
            return after
    raise PreconditionFailed
