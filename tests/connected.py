"""A connection of the demo tenant's to an identity provider, for a domain of its own that the platform vouched for."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.running import Running

ANY = {"If-Match": "*"}


@contextmanager
def connected(running: Running, token: str, **body: Any) -> Iterator[tuple[str, str]]:
    """The connection's id, and the domain."""
    domain = f"{secrets.token_hex(4)}.test"
    platform = running.token(running.stack["platform_client"])
    claim = {"domain": domain, "tenant_id": running.stack["tenant"]["id"], "vouched": True}
    assert running.call("POST", "/v1/domains", token=platform, json=claim).status_code == 201
    made = running.call("POST", "/v1/sso-connections", token=token, json={"domains": [domain], **body})
    assert made.status_code == 201, made.text
    connection_id = made.json()["id"]
    yield connection_id, domain
    running.call("DELETE", f"/v1/sso-connections/{connection_id}", token=token, headers=ANY)
    running.call("DELETE", f"/v1/domains/{domain}", token=token, headers=ANY)
