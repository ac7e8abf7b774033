"""
Setting the platform up: what an operator runs once, and again without harm.

The event is `{}` for the platform itself (its versions, the first signing keys, the platform client, whose secret comes back
only when it was just made; with `{"rotate_secret": true}` it gets a new one), or
`{"tenant_id", "first_client": {"name", "roles"}, "first_key"?: {"name", "environment", "scopes"}}` for a tenant's first
client and a key of that client's, or `{"tenant_id", "service": {"name", "roles"}}` for a service of the tenant's, which
its client certificate then stands for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from platforma.apikeys.issue import KeyRequest
from platforma.edge.bodies import held_to
from platforma.edge.schemas.setup import FirstClient, FirstKey, NamedService, Setup
from platforma.kernel.clock import Clock
from platforma.kernel.errors import Unprocessable
from platforma.kernel.events import Attempt
from platforma.kernel.tenancy import PLATFORM
from platforma.oauth.model import MAX_SECRETS, Client
from platforma.policy.roles import PLATFORM_ROLE

_PLATFORM_CLIENT = {"name": "platform", "roles": [PLATFORM_ROLE, "admin"], "scopes": ["platform:manage", "*"]}

UseCase = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class SetUp:
    """What setting up needs of the world: use cases with their ports filled in."""

    clock: Clock
    make_versions: Callable[[str], None]
    ensure_signing_keys: UseCase
    list_clients: UseCase
    create_client: UseCase
    add_secret: UseCase
    delete_secret: UseCase
    issue_key: UseCase
    is_tenant: Callable[[str], bool]
    register_service: UseCase
    roles_of: Callable[[str], frozenset[str]]

    def run(self, event: Mapping[str, Any], request_id: str) -> dict[str, Any]:
        """
        Do what *event* asks; the credentials that were made.

        Raises:
            Unprocessable: it asks for something else.
        """
        asked = held_to(Setup, dict(event))
        if asked.tenant_id is None:
            return self._platform(asked, request_id)
        return self._tenant(asked, request_id)

    def _platform(self, asked: Setup, request_id: str) -> dict[str, Any]:
        self.make_versions(PLATFORM)
        self.ensure_signing_keys(attempt=self._attempt(request_id))
        clients, _ = self.list_clients(PLATFORM, limit=1, after=None)
        if not clients:
            client, secret = self.create_client(_PLATFORM_CLIENT, tenant_id=PLATFORM, attempt=self._attempt(request_id))
            return {"client_id": client.id, "client_secret": secret}
        if not asked.rotate_secret:
            return {"client_id": clients[0].id}
        return {"client_id": clients[0].id, "client_secret": self._rotated(clients[0], request_id)}

    def _rotated(self, client: Client, request_id: str) -> str:
        if len(client.secrets) >= MAX_SECRETS:
            oldest = min(client.secrets, key=lambda secret: secret.created_at)
            self.delete_secret(client.id, oldest.id, tenant_id=PLATFORM, attempt=self._attempt(request_id))
        _, secret = self.add_secret(client.id, tenant_id=PLATFORM, attempt=self._attempt(request_id))
        return str(secret)

    def _tenant(self, asked: Setup, request_id: str) -> dict[str, Any]:
        tenant_id = str(asked.tenant_id)
        if not self.is_tenant(tenant_id):
            raise Unprocessable("There is no such tenant.")
        if asked.first_client is None and (asked.service is None or asked.first_key is not None):
            raise Unprocessable("A tenant gets a first client, a service, or both; a first key is the client's.")
        made = self._service(asked.service, tenant_id, request_id) if asked.service is not None else {}
        if asked.first_client is not None:
            made |= self._client(asked.first_client, asked.first_key, tenant_id, request_id)
        return made

    def _service(self, wanted: NamedService, tenant_id: str, request_id: str) -> dict[str, Any]:
        service = self.register_service(
            wanted.name,
            wanted.roles,
            tenant_id=tenant_id,
            known_roles=self.roles_of(tenant_id),
            attempt=self._attempt(request_id),
        )
        return {"service": {"name": service.name, "roles": list(service.roles)}}

    def _client(self, wanted: FirstClient, key: FirstKey | None, tenant_id: str, request_id: str) -> dict[str, Any]:
        fields = {**wanted.model_dump(), "scopes": ["*"]}
        client, secret = self.create_client(fields, tenant_id=tenant_id, attempt=self._attempt(request_id))
        made: dict[str, Any] = {"client_id": client.id, "client_secret": secret}
        if key is not None:
            issued = self.issue_key(
                KeyRequest(key.name, key.environment, tuple(key.scopes)),
                tenant_id=tenant_id,
                owner_type="oauth_client",
                owner_id=client.id,
                created_by="platform_setup",
                attempt=self._attempt(request_id),
            )
            made["api_key"] = {"id": issued.key.id, "key": issued.text}
        return made

    def _attempt(self, request_id: str) -> Attempt:
        return Attempt(
            request_id=request_id,
            action="platform.setup.run",
            clock=self.clock,
            source="schedule",
            tenant_id=PLATFORM,
            principal_type="system",
            principal_id="platform_setup",
        )
