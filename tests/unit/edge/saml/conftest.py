"""A tenant with a SAML connection, and somebody before it."""

import pytest

from tests.fakes.saml_browser import SAMLConnection, Visitor, connection_of
from tests.signing_in import Browser
from tests.world import Tenant


@pytest.fixture
def connection(tenant: Tenant) -> SAMLConnection:
    return connection_of(tenant)


@pytest.fixture
def ada(connection: SAMLConnection) -> Visitor:
    return Visitor(connection, Browser(connection.tenant.world))
