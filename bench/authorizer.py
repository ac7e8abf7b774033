"""
What a call of the authorizer costs us: CPU time of one warm call, whole, without network and client libraries. The tables
are at hand in memory; authentication, decision, the sealed event and the log line are all there.

    new_token   an ES256 access token that this instance has not seen, or has forgotten
    token       one that is shown again: its signature is known to hold, all else is looked at as ever
    key         an API key with a good ticket
    policies    a thousand policies in force for the caller, of the sample's shape
"""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any
from unittest import mock

from bench.decisions import statement
from platforma import bootstrap
from platforma.adapters.memory.apikeys import MemoryKeys, MemoryLimits, MemoryLimitSettings
from platforma.adapters.memory.audit import MemoryLogStore, MemoryOutbox
from platforma.adapters.memory.clients import MemoryClients
from platforma.adapters.memory.identity import MemoryDirectory, MemoryGroups, MemoryIdentity
from platforma.adapters.memory.keys import MemoryDataKeys, MemorySecrets, MemorySigningKeyStore
from platforma.adapters.memory.policies import MemoryPolicies
from platforma.adapters.memory.sessions import MemoryRevocations
from platforma.apikeys import KeyRequest, issue_key
from platforma.bootstrap import environment, parts
from platforma.bootstrap.parts import apikeys, ground, identity, oauth, policy
from platforma.edge.gateway_authorizer import GatewayAuthorizer
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.keys.secrets import CachedSecrets
from platforma.keys.signing import ensure_signing_keys
from platforma.oauth.access_token import issue_access_token
from platforma.oauth.compact_jws import MAX_HELD
from platforma.oauth.model import Client
from platforma.policy import create_protected_api
from platforma.policy.model import Attachment, Policy, Versions

URL, AUDIENCE = "https://platforma.test", "https://clusters.example"
EVENT = Path(__file__).parents[1] / "tests" / "events" / "policy_authorizer.request.json"
POLICIES = 1000
ROUNDS, CALLS = 9, 200
TENANT, CLIENT = new_id("ten"), new_id("cli")
ROUTE = {"method": "GET", "path": "/v1/clusters/{id}", "action": "infrastructure.clusters.get"}


def _now() -> datetime:
    return datetime.now(UTC)


def _given(part: object) -> object:
    """A part that is made already, at no more cost than the deployed one's."""
    return part


@contextlib.contextmanager
def deployed(*, tokens: int = 1) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """The composition root over memory, with a tenant's client, key, policies and API: the tenant, the credentials."""
    policies = MemoryPolicies()
    people, clients, keys = MemoryIdentity(), MemoryClients(), MemoryKeys()
    signing = MemorySigningKeyStore()
    made: dict[tuple[ModuleType, str], object] = {
        (ground, "vault"): MemoryDataKeys(TENANT),
        (ground, "secrets"): CachedSecrets(MemorySecrets(), _now),
        (policy, "policies"): policies,
        (oauth, "clients"): clients,
        (apikeys, "keys"): keys,
        (apikeys, "limits"): MemoryLimits(),
        (apikeys, "limit_settings"): MemoryLimitSettings(),
        (identity, "directory"): MemoryDirectory(people),
        (identity, "groups"): MemoryGroups(people),
        (oauth, "revocations"): MemoryRevocations(),
        (ground, "signing_key_store"): signing,
    }
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, {"PLATFORMA_URL": URL}))
        for (module, name), part in made.items():
            stack.enter_context(mock.patch.object(module, name, partial(_given, part)))
        outbox = MemoryOutbox(MemoryLogStore(), ground.envelope())
        stack.enter_context(mock.patch.object(ground, "outbox", partial(_given, outbox)))
        yield TENANT, _filled(policies, clients, keys, signing, tokens)
    for module in (environment, *(vars(parts)[name] for name in parts.__all__)):
        for part in vars(module).values():
            if hasattr(part, "cache_clear"):
                part.cache_clear()


def _filled(
    policies: MemoryPolicies, clients: MemoryClients, keys: MemoryKeys, signing: MemorySigningKeyStore, tokens: int
) -> dict[str, list[str]]:
    attempt = Attempt("bench", "bench.authorizer.run", _now, tenant_id=TENANT, principal_type="system", principal_id="bench")
    policies.set_versions(TENANT, Versions(policy=1, revocation=1, status="active"))
    create_protected_api(
        TENANT,
        name="clusters",
        audience=AUDIENCE,
        environment="live",
        routes=[{**ROUTE, "resource": {"type": "cluster", "id": "{id}"}}],
        store=policies,
        attempt=attempt,
        clock=_now,
    )
    for resource in ("cls_eu*", *(f"cls_{number:06}_*" for number in range(POLICIES - 1))):
        policies.create(_policy(resource), attempt.event("success"))
    client = Client(
        id=CLIENT,
        tenant_id=TENANT,
        name="bench",
        type="confidential",
        grant_types=("client_credentials",),
        redirect_uris=(),
        scopes=("infrastructure:*",),
        token_endpoint_auth_method=None,
        roles=("operator",),
        status="active",
        created_at=_now(),
    )
    clients.add(client, attempt.event("success"))
    ensure_signing_keys(signing, ground.envelope(), attempt=attempt, clock=_now)
    issued = [
        issue_access_token(
            signing_keys=ground.signing_keys(),
            issuer=URL,
            subject=CLIENT,
            client_id=CLIENT,
            tenant_id=TENANT,
            scope=("infrastructure:*",),
            roles=("operator",),
            now=_now(),
            audience=AUDIENCE,
        )[0]
        for _ in range(tokens)
    ]
    key = issue_key(
        KeyRequest("bench", "live", ("infrastructure:read",)),
        tenant_id=TENANT,
        owner_type="oauth_client",
        owner_id=CLIENT,
        created_by=CLIENT,
        keys=keys,
        secrets=ground.secrets(),
        clock=_now,
        attempt=attempt,
    )
    return {"new_token": issued, "token": issued[:1], "key": [key.text]}


def _policy(resource: str) -> Policy:
    return Policy(
        id=new_id("pol"),
        tenant_id=TENANT,
        name="",
        document=statement(
            f"cluster:{resource}", time_window={"start": "00:00", "end": "00:00", "timezone": "Europe/Berlin"}
        ),
        attachments=(Attachment("oauth_client", CLIENT),),
        created_at="",
        updated_at="",
        updated_by=None,
    )


def _microseconds(call: Callable[[], object]) -> float:
    """The median over rounds of the CPU time of one call."""
    taken = []
    for _ in range(ROUNDS):
        started = time.process_time_ns()
        for _ in range(CALLS):
            call()
        taken.append((time.process_time_ns() - started) / CALLS / 1000)
    return round(median(taken), 1)


def run() -> dict[str, Any]:
    """CPU microseconds of an allowed call, by credential."""
    event = json.loads(EVENT.read_text())
    event["requestContext"]["identity"]["sourceIp"] = "10.1.2.3"
    figures: dict[str, Any] = {}
    nowhere = Path(os.devnull).open("w")  # noqa: SIM115  closed by the stack
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(stack.enter_context(nowhere)))
        _, credentials = stack.enter_context(deployed(tokens=MAX_HELD + 1))
        authorizer = GatewayAuthorizer("policy_authorizer", bootstrap.edge, policy.policies)
        for name, shown in credentials.items():
            asked = cycle([_asked(event, credential) for credential in shown])
            answer = authorizer.handler(next(asked), None)
            assert answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"
            figures[f"authorizer_{name}_cpu_us"] = _microseconds(partial(_next_answered, authorizer, asked))
    return figures


def _asked(event: dict[str, Any], credential: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {credential}", "User-Agent": "bench/1.0"}
    return {**event, "headers": headers, "multiValueHeaders": {each: [value] for each, value in headers.items()}}


def _next_answered(authorizer: GatewayAuthorizer, asked: Iterator[dict[str, Any]]) -> object:
    return authorizer.handler(next(asked), None)


if __name__ == "__main__":
    for figure, value in run().items():
        print(f"{figure:30} {value}")
