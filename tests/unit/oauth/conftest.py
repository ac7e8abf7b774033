from datetime import UTC, datetime, timedelta

import pytest

from platforma.adapters.memory.authorizations import MemoryAuthorizations, MemoryGrants
from platforma.adapters.memory.clients import MemoryClients
from platforma.adapters.memory.devices import MemoryDevices
from platforma.adapters.memory.identity import MemoryDirectory, MemoryGroups, MemoryIdentity
from platforma.adapters.memory.keys import MemoryDataKeys, MemorySecrets, MemorySigningKeyStore
from platforma.adapters.memory.logouts import MemoryLogouts
from platforma.adapters.memory.sessions import MemoryRevocations
from platforma.adapters.memory.single_use import MemorySingleUse
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope
from platforma.keys.signing import SigningKeys, ensure_signing_keys
from platforma.oauth import ClientKeys, authenticate_client, create_client
from platforma.oauth.errors import Unfetched
from platforma.oauth.grants.granting import Granting

ISSUER = "https://id.platforma.test"


class Still:
    """A clock that moves when told to."""

    def __init__(self):
        self.now = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)

    def __call__(self):
        return self.now

    def forward(self, **span):
        self.now += timedelta(**span)


class CountingClients(MemoryClients):
    """Counts the reads that a use case makes."""

    def __init__(self, record):
        super().__init__(record)
        self.reads = 0

    def get(self, client_id):
        self.reads += 1
        return super().get(client_id)


@pytest.fixture(autouse=True)
def hashes(monkeypatch):
    """bcrypt at its least cost; the list grows by one with each check that is paid for."""
    import bcrypt

    paid = []
    check = bcrypt.checkpw
    monkeypatch.setattr("platforma.keys.stored_secret.BCRYPT_COST", 4)
    monkeypatch.setattr("bcrypt.checkpw", lambda *given: paid.append(1) or check(*given))
    return paid


@pytest.fixture
def clock():
    return Still()


@pytest.fixture
def secrets():
    return MemorySecrets()


@pytest.fixture
def events():
    return []


@pytest.fixture
def clients(events):
    return CountingClients(events.append)


@pytest.fixture
def tenant_id():
    return new_id("ten")


@pytest.fixture
def attempt(clock, tenant_id):
    def made(action="settings.oauth_clients.update"):
        return Attempt(request_id="req", action=action, clock=clock, tenant_id=tenant_id, principal_type="user")

    return made


@pytest.fixture
def register(clients, secrets, clock, tenant_id, attempt):
    def made(tenant_id=tenant_id, **fields):
        fields = {"name": "worker", "scopes": ["infrastructure:manage"], **fields}
        return create_client(fields, tenant_id=tenant_id, attempt=attempt(), clients=clients, secrets=secrets, clock=clock)

    return made


class Web(dict):
    """What is behind each address; *fetched* lists what was asked for."""

    def __init__(self):
        super().__init__()
        self.fetched = []

    def get(self, url):
        self.fetched.append(url)
        if url not in self:
            raise Unfetched
        return self[url]


@pytest.fixture
def web():
    return Web()


@pytest.fixture
def single_use(clock):
    return MemorySingleUse(clock)


@pytest.fixture
def prove(clients, secrets, clock, web, single_use):
    """`authenticate_client` with everything that it needs."""
    keys = ClientKeys(web, clock)

    def done(presented):
        return authenticate_client(
            presented,
            clients=clients,
            secrets=secrets,
            client_keys=keys,
            single_use=single_use,
            revocations=MemoryRevocations(),
            issuer=ISSUER,
            clock=clock,
        )

    return done


@pytest.fixture
def signing_keys(clock, attempt):
    store, envelope = MemorySigningKeyStore(), Envelope(MemoryDataKeys(), clock)
    ensure_signing_keys(store, envelope, attempt=attempt(), clock=clock, algorithms=("ES256", "RS256"))
    return SigningKeys(store, envelope, clock)


@pytest.fixture
def by(signing_keys, secrets, clock, events):
    """What turns grants into tokens, in memory."""
    revocations, identity = MemoryRevocations(events.append), MemoryIdentity(events.append)
    grants = MemoryGrants(revocations, MemoryLogouts(events.append))
    return Granting(
        authorizations=MemoryAuthorizations(grants),
        grants=grants,
        devices=MemoryDevices(grants),
        revocations=revocations,
        directory=MemoryDirectory(identity),
        groups=MemoryGroups(identity),
        secrets=secrets,
        signing_keys=signing_keys,
        issuer="https://id.platforma.test",
        clock=clock,
    )
