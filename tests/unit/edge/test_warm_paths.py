"""A warm instance asks Vault nothing to issue a token, check a key, decide, and record each in the log."""

import pytest

from tests.world import Tenant, World


@pytest.mark.parametrize("what", ["token", "key", "decision"])
def test_warm_it_asks_vault_nothing(world: World, tenant: Tenant, what: str):
    key = tenant.call("POST", "/v1/api-keys", {"name": "k", "environment": "test", "scopes": ["infrastructure:read"]}).json
    asked = {"action": "infrastructure.clusters.get", "resource": {"type": "cluster", "id": "cls_eu01"}, "context": {}}

    def work() -> None:
        if what == "token":
            world.token(tenant.client)
        elif what == "key":
            told = tenant.call("POST", "/v1/api-keys/verify", {"key": key["key"]}, expect=200).json
            assert told["valid"]
        else:
            assert tenant.call("POST", "/v1/authorize", asked, expect=200).json["decision"] == "allow"

    work()
    world.vault.calls = 0
    for _ in range(20):
        work()

    assert world.vault.calls == 0
