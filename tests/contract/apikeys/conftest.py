"""Each implementation in turn."""

import boto3
import pytest
from moto import mock_aws

from platforma.adapters.dynamodb.apikeys import DynamoDBKeys
from platforma.adapters.dynamodb.expiry_notices import DynamoDBNotices
from platforma.adapters.dynamodb.leaks import DynamoDBLeaks
from platforma.adapters.dynamodb.rate_limits import DynamoDBLimits, DynamoDBLimitSettings
from platforma.adapters.dynamodb.tables import Tables
from platforma.adapters.memory.apikeys import MemoryKeys, MemoryLeaks, MemoryLimits, MemoryLimitSettings
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.keys import stored_secret
from platforma.keys.envelope import Envelope
from tests.contract.apikeys.places import BOTH, Outbox, Places, Recorded
from tests.contract.on_moto import isolate, make_tables
from tests.unit.apikeys.world import World


@pytest.fixture(scope="module")
def dynamodb():
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        isolate(patch)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        Tables(BOTH, "eu-central-1").bind()
        yield boto3.client("dynamodb", region_name="eu-central-1")


@pytest.fixture
def table(dynamodb):
    make_tables("credential")
    yield dynamodb
    if dynamodb.list_tables()["TableNames"]:
        dynamodb.delete_table(TableName="credential")


@pytest.fixture(params=["memory", "dynamodb"])
def places(request, monkeypatch):
    monkeypatch.setattr(stored_secret, "BCRYPT_COST", 4)
    if request.param == "memory":
        keys = MemoryKeys(Recorded())
        return Places(keys, MemoryLimits(), MemoryLimitSettings(Recorded()), keys.notices, MemoryLeaks(keys, Recorded()))
    request.getfixturevalue("table")
    tables = Tables(BOTH, "eu-central-1")
    data_keys = MemoryDataKeys()
    settings = DynamoDBLimitSettings(tables, Outbox())
    keys, notices = DynamoDBKeys(tables, Outbox(), Envelope(data_keys)), DynamoDBNotices(tables, Outbox())
    return Places(keys, DynamoDBLimits(), settings, notices, DynamoDBLeaks(tables, Outbox()), data_keys)


@pytest.fixture
def world(places):
    world = World(keys=places.keys, limits=places.limits)
    if places.data_keys:
        places.data_keys.create_tenant_key(world.tenant_id)
    return world


@pytest.fixture
def settings(places):
    return places.settings
