"""The use cases of a client's secrets: a second one is added, the programs move to it, the first is taken away."""

from platforma.kernel.clock import Clock
from platforma.kernel.errors import Conflict, NotFound
from platforma.kernel.events import Attempt
from platforma.keys.ports import Secrets
from platforma.oauth.client_secret import new_client_secret
from platforma.oauth.clients import change_client, get_client
from platforma.oauth.model import MAX_SECRETS, SECRET_METHODS, Client, ClientSecret
from platforma.oauth.ports import Clients


def add_secret(
    client_id: str, *, tenant_id: str, attempt: Attempt, clients: Clients, secrets: Secrets, clock: Clock
) -> tuple[ClientSecret, str]:
    """
    A further secret of the client: what is kept of it, and the secret, told this once.

    Raises:
        NotFound: the tenant has no such client.
        Conflict: it has two already, or does not authenticate by secret.
    """
    _roomy(get_client(client_id, tenant_id=tenant_id, clients=clients))
    shown, secret = new_client_secret(client_id, secrets=secrets, now=clock())

    def added(client: Client) -> Client:
        return _roomy(client).changed(secrets=(*client.secrets, secret))

    change_client(client_id, added, tenant_id=tenant_id, if_version=None, attempt=attempt, clients=clients)
    return secret, shown


def delete_secret(client_id: str, secret_id: str, *, tenant_id: str, attempt: Attempt, clients: Clients) -> None:
    """
    Take a secret away, the last one too: no token is issued for it any more. Tokens issued live on for their hour.

    Raises:
        NotFound: the tenant has no such client, or the client no such secret.
    """

    def without(client: Client) -> Client:
        if client.secret(secret_id) is None:
            raise NotFound
        return client.changed(secrets=tuple(secret for secret in client.secrets if secret.id != secret_id))

    change_client(client_id, without, tenant_id=tenant_id, if_version=None, attempt=attempt, clients=clients)


def _roomy(client: Client) -> Client:
    if client.authentication not in SECRET_METHODS:
        raise Conflict("A client that does not authenticate by secret has none.")
    if len(client.secrets) >= MAX_SECRETS:
        raise Conflict(f"A client has at most {MAX_SECRETS} secrets: take one away first.")
    return client
