"""What connections and domains promise, of memory and of DynamoDB alike."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from platforma.adapters.dynamodb.sso import DynamoConnections, DynamoDomains
from platforma.adapters.dynamodb.versions import make_versions
from platforma.adapters.memory.sso import MemoryConnections, MemoryDomains
from platforma.kernel.errors import Conflict, PlatformaError, PreconditionFailed
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.sso.changes import connection_event, domain_event
from platforma.sso.errors import DomainTaken
from platforma.sso.model import (
    Connection,
    Domain,
    GroupMapping,
    IdentityProvider,
    OIDCSettings,
    Provisioning,
    SAMLSettings,
)
from tests.contract.on_moto import KeptEvents, tables_on_moto

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ACME, OTHER = new_id("ten"), new_id("ten")
PROVIDER = IdentityProvider("https://idp.test", ("QUJD", "REVG"), redirect_url="https://idp.test/sso")


@dataclass
class Stores:
    connections: Any
    domains: Any


def attempt(tenant_id: str = ACME) -> Attempt:
    return Attempt("request", "settings.sso_connections.create", lambda: NOW, tenant_id=tenant_id, principal_type="user")


def connection(tenant_id: str = ACME, **fields: Any) -> Connection:
    made = {"name": "Okta", "type": "saml", "domains": ("acme.test",), "saml": SAMLSettings(PROVIDER, refreshed_at=NOW)}
    return Connection(id=new_id("sso"), tenant_id=tenant_id, created_at=NOW, **{**made, **fields})


def domain(tenant_id: str = ACME, name: str = "acme.test", **fields: Any) -> Domain:
    return Domain(tenant_id, name, "token", created_at=NOW, **fields)


@pytest.fixture(params=["memory", "dynamodb"])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    if request.param == "memory":
        yield Stores(MemoryConnections(), MemoryDomains())
        return
    with tables_on_moto("credential", "policy") as tables:
        make_versions(ACME)
        events = KeptEvents(tables, "credential")
        yield Stores(DynamoConnections(tables, events), DynamoDomains(tables, events))


def add(stores: Stores, made: Connection) -> Connection:
    stores.connections.add(made, connection_event(attempt(made.tenant_id), None, made))
    return made


def claim(stores: Stores, made: Domain) -> Domain:
    stores.domains.add(made, domain_event(attempt(made.tenant_id), None, made))
    return made


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"type": "oidc", "saml": None, "oidc": OIDCSettings("https://op.test", "client", "sso_ref")},
        {
            "group_mappings": (GroupMapping("Eng*", "operator", "glob"), GroupMapping("All", "viewer")),
            "provisioning": Provisioning(jit=True, default_roles=("viewer",), deprovision_on_group_loss=False),
            "attribute_mapping": {"email": "mail"},
            "enabled": False,
        },
    ],
)
def test_a_connection_is_read_as_it_was_kept(stores, fields):
    made = add(stores, connection(**fields))

    assert stores.connections.get(made.id) == made


def test_lists_hold_a_tenants_own_connections_by_age(stores):
    mine = [add(stores, connection()) for _ in range(3)]
    add(stores, connection(OTHER))

    first = stores.connections.page(ACME, limit=2, after=None)
    rest = stores.connections.page(ACME, limit=2, after=first.after)

    assert [*first.items, *rest.items] == sorted(mine, key=lambda each: each.id)
    assert rest.after is None


def test_of_two_changes_to_one_version_one_is_made(stores):
    before = add(stores, connection())
    after = replace(before, name="Entra", version=2)
    stores.connections.replace(before, after, connection_event(attempt(), before, after))

    with pytest.raises(PreconditionFailed):
        stores.connections.replace(before, after, connection_event(attempt(), before, after))
    assert stores.connections.get(before.id) == after


def test_a_deleted_connection_is_found_nowhere(stores):
    made = add(stores, connection())

    stores.connections.remove(made, connection_event(attempt(), made, None))

    assert stores.connections.get(made.id) is None
    assert stores.connections.page(ACME, limit=10, after=None).items == ()
    assert list(stores.connections.every()) == []


def test_every_connection_of_every_tenant_is_told(stores):
    made = {add(stores, connection(tenant)).id for tenant in (ACME, OTHER)}

    assert {each.id for each in stores.connections.every()} == made


def test_a_claim_excludes_nobody(stores):
    claim(stores, domain())

    claim(stores, domain(OTHER))

    assert stores.domains.owner("acme.test") is None


def test_a_tenant_claims_a_domain_once(stores):
    claim(stores, domain())

    with pytest.raises(Conflict):
        claim(stores, domain())


def test_a_proved_domain_is_one_tenants(stores):
    mine, theirs = claim(stores, domain()), claim(stores, domain(OTHER))
    proved = replace(mine, status="proved", proved_at=NOW, version=2)
    stores.domains.replace(mine, proved, domain_event(attempt(), mine, proved))

    after = replace(theirs, status="proved", proved_at=NOW, version=2)
    with pytest.raises(DomainTaken):
        stores.domains.replace(theirs, after, domain_event(attempt(OTHER), theirs, after))
    assert stores.domains.owner("acme.test") == ACME
    assert stores.domains.get(OTHER, "acme.test") == theirs
    assert list(stores.domains.proved()) == [proved]


@pytest.mark.parametrize("status", ["pending", "vouched"])
def test_what_is_no_longer_proved_is_not_looked_at_again(stores, status):
    made = claim(stores, domain(status="proved"))
    after = replace(made, status=status, version=2)

    stores.domains.replace(made, after, domain_event(attempt(), made, after))

    assert list(stores.domains.proved()) == []
    assert stores.domains.owner("acme.test") == (ACME if status == "vouched" else None)


def test_a_domain_given_up_is_free(stores):
    made = claim(stores, domain(status="vouched"))

    stores.domains.remove(made, domain_event(attempt(), made, None))

    claim(stores, domain(OTHER, status="vouched"))
    assert stores.domains.owner("acme.test") == OTHER


def test_a_check_without_news_needs_no_event(stores):
    made = claim(stores, domain(status="proved"))
    after = replace(made, checked_at=NOW, version=2)

    stores.domains.replace(made, after, None)

    assert stores.domains.get(ACME, "acme.test") == after


def test_of_twenty_tenants_that_prove_one_domain_one_gets_it(stores):
    tenants = [new_id("ten") for _ in range(20)]

    def race(tenant_id: str) -> str | None:
        made = domain(tenant_id, name="raced.test", status="vouched")
        try:
            claim(stores, made)
        except PlatformaError:
            return None
        return tenant_id

    with ThreadPoolExecutor(20) as pool:
        won = [each for each in pool.map(race, tenants) if each]

    assert len(won) == 1
    assert stores.domains.owner("raced.test") == won[0]


def test_claims_are_listed_by_name(stores):
    for name in ("c.test", "a.test", "b.test"):
        claim(stores, domain(name=name))
    claim(stores, domain(OTHER, name="d.test"))

    first = stores.domains.page(ACME, limit=2, after=None)
    rest = stores.domains.page(ACME, limit=2, after=first.after)

    assert [each.name for each in (*first.items, *rest.items)] == ["a.test", "b.test", "c.test"]
