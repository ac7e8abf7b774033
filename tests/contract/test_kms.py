"""What is KMS's alone: versions that are keys of their own, made by several at once, and ended for good."""

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from platforma.adapters.kms import KMS
from platforma.kernel.errors import Broken, Conflict, Unavailable
from platforma.kernel.ids import new_id
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.errors import DoesNotOpen, NoSuchKey
from tests import moto_kms


@pytest.fixture
def client(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    moto_kms.complete(monkeypatch)
    with mock_aws():
        moto_kms.make_platforms_keys()
        yield boto3.client("kms", region_name="eu-central-1")


@pytest.fixture
def tenant_id(client) -> str:
    tenant_id = new_id("ten")
    KMS(moto_kms.PREFIX, client).create_tenant_key(tenant_id)
    return tenant_id


class Overtaken:
    """A client of KMS before whose *call* another one does the same work."""

    def __init__(self, client, call, work) -> None:
        self._client, self._call, self._work = client, call, work

    def __getattr__(self, name):
        if name == self._call and self._work:
            work, self._work = self._work, None
            work()
        return getattr(self._client, name)


def standing(client) -> list[str]:
    """The states of all keys but the platform's two."""
    keys = [client.describe_key(KeyId=each["KeyId"])["KeyMetadata"] for each in client.list_keys()["Keys"]]
    return sorted(key["KeyState"] for key in keys if "ten_" in key["Description"])


@pytest.mark.parametrize("call", ["create_key", "enable_key_rotation", "create_alias"])
def test_of_two_that_make_a_tenants_key_one_keys_stays(client, call):
    tenant_id, other = new_id("ten"), KMS(moto_kms.PREFIX, client)
    slow = KMS(moto_kms.PREFIX, Overtaken(client, call, lambda: other.create_tenant_key(tenant_id)))

    slow.create_tenant_key(tenant_id)

    wrapped = slow.generate(tenant_id, "identity")
    assert other.unwrap(tenant_id, "identity", wrapped.wrapped) == wrapped.plaintext
    assert standing(client) == ["Enabled", "PendingDeletion"]


def test_of_two_rotations_at_once_one_version_comes(client, tenant_id):
    other = KMS(moto_kms.PREFIX, client)
    slow = KMS(moto_kms.PREFIX, Overtaken(client, "create_key", lambda: other.rotate(tenant_id)))

    slow.rotate(tenant_id)

    assert sorted(other.describe(tenant_id).versions) == [1, 2]
    assert other.version_of(slow.generate(tenant_id, "identity").wrapped) == 2


def dies(*_more, **_others):
    raise ConnectionError


@pytest.mark.parametrize("call", ["create_alias", "update_alias"])
def test_a_rotation_that_died_midway_is_taken_up_by_the_next(client, tenant_id, call):
    old = KMS(moto_kms.PREFIX, client).generate(tenant_id, "identity")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, call, dies)
        with pytest.raises(ConnectionError):
            KMS(moto_kms.PREFIX, client).rotate(tenant_id)

    again = KMS(moto_kms.PREFIX, client)
    again.rotate(tenant_id)

    assert sorted(again.describe(tenant_id).versions) == [1, 2]
    assert again.version_of(again.generate(tenant_id, "identity").wrapped) == 2
    assert again.unwrap(tenant_id, "identity", old.wrapped) == old.plaintext


def test_a_version_that_the_newest_does_not_know_of_is_destroyed_too(client, tenant_id):
    keys = KMS(moto_kms.PREFIX, client)
    keys.rotate(tenant_id)
    wrapped = keys.generate(tenant_id, "identity").wrapped
    first = client.describe_key(KeyId=f"alias/{moto_kms.PREFIX}/{tenant_id}/1")["KeyMetadata"]["KeyId"]
    client.update_alias(AliasName=f"alias/{moto_kms.PREFIX}/{tenant_id}", TargetKeyId=first)

    keys.destroy_tenant_key(tenant_id)

    assert standing(client) == ["PendingDeletion"] * 2
    with pytest.raises(NoSuchKey):
        keys.unwrap(tenant_id, "identity", wrapped)


def test_a_destruction_that_died_midway_is_taken_up_by_the_next(client, tenant_id):
    keys = KMS(moto_kms.PREFIX, client)
    keys.rotate(tenant_id)
    keys.rotate(tenant_id)
    schedule, left = client.schedule_key_deletion, [1]

    def once(**asked):
        if not left:
            raise ConnectionError
        left.pop()
        return schedule(**asked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "schedule_key_deletion", once)
        with pytest.raises(ConnectionError):
            keys.destroy_tenant_key(tenant_id)
    keys.destroy_tenant_key(tenant_id)

    assert standing(client) == ["PendingDeletion"] * 3


def test_a_destroyed_tenant_is_given_no_new_key(client, tenant_id):
    keys = KMS(moto_kms.PREFIX, client)
    keys.destroy_tenant_key(tenant_id)

    keys.create_tenant_key(tenant_id)

    with pytest.raises(NoSuchKey):
        keys.generate(tenant_id, "identity")


def test_a_wrapped_key_that_says_another_version_does_not_open(client, tenant_id):
    keys = KMS(moto_kms.PREFIX, client)
    wrapped = keys.generate(tenant_id, "identity").wrapped
    keys.rotate(tenant_id)

    for version in (b"2", b"3", b"999999999"):
        with pytest.raises(DoesNotOpen):
            keys.unwrap(tenant_id, "identity", wrapped.replace(b"kms:v1:", b"kms:v%b:" % version))


def test_a_key_that_somebody_put_behind_a_tenants_name_is_not_sealed_under(client, tenant_id):
    """Its data would open by no version's name."""
    strange = client.create_key(Description=f"alias/{moto_kms.PREFIX}/{tenant_id}/1")["KeyMetadata"]["KeyId"]
    client.update_alias(AliasName=f"alias/{moto_kms.PREFIX}/{tenant_id}", TargetKeyId=strange)

    with pytest.raises(Broken):
        KMS(moto_kms.PREFIX, client).generate(tenant_id, "identity")


def test_the_platforms_key_is_neither_rotated_nor_destroyed(client):
    keys = KMS(moto_kms.PREFIX, client)

    with pytest.raises(Conflict):
        keys.rotate(PLATFORM)
    with pytest.raises(Broken):
        keys.destroy_tenant_key(PLATFORM)


@pytest.mark.parametrize("tenant_id", ["../../platform", "platform", "ten_", "ten_A", "", "signing-1", "*"])
def test_what_is_no_tenant_never_becomes_an_alias(client, tenant_id):
    for ask in (KMS(moto_kms.PREFIX, client).describe, KMS(moto_kms.PREFIX, client).create_tenant_key):
        with pytest.raises(Broken):
            ask(tenant_id)


def test_two_deployments_in_an_account_do_not_open_each_others(client, tenant_id):
    wrapped = KMS(moto_kms.PREFIX, client).generate(tenant_id, "identity").wrapped
    other = KMS("staging", client)
    other.create_tenant_key(tenant_id)

    with pytest.raises(DoesNotOpen):
        other.unwrap(tenant_id, "identity", wrapped)


class Refused:
    """A client of KMS that lacks every permission."""

    def __init__(self, client) -> None:
        self.exceptions = client.exceptions

    def __getattr__(self, name):
        def refuse(**_asked):
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}, name)

        return refuse


def test_a_permission_that_lacks_is_unavailable_and_no_missing_key(client, tenant_id):
    keys = KMS(moto_kms.PREFIX, Refused(client))

    for ask in (keys.describe, keys.rotate, keys.create_tenant_key, keys.destroy_tenant_key):
        with pytest.raises(Unavailable):
            ask(tenant_id)
    with pytest.raises(Unavailable):
        keys.unwrap(tenant_id, "identity", b"kms:v1:x")


def test_the_encryption_context_names_tenant_and_purpose_which_roles_are_held_to(client, tenant_id):
    wrapped = KMS(moto_kms.PREFIX, client).generate(tenant_id, "identity")
    said = {"CiphertextBlob": wrapped.wrapped.removeprefix(b"kms:v1:")}
    whole = {"tenant": tenant_id, "purpose": "identity"}

    assert client.decrypt(**said, EncryptionContext=whole)["Plaintext"] == wrapped.plaintext
    for less in ({"tenant": tenant_id}, {"purpose": "identity"}, {}):
        with pytest.raises(ClientError):
            client.decrypt(**said, EncryptionContext=less)
