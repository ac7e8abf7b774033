"""A tenant's key through its life in the emulator's KMS, which honours states and contexts by code of its own."""

import pytest

from platforma.adapters.kms import KMS
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope, rewrapped, wrapping_of
from platforma.keys.errors import DoesNotOpen, NoSuchKey
from tests.integration.conftest import Running


def test_a_key_is_made_rotated_its_records_moved_its_old_version_ended_and_all_of_it_destroyed(running: Running):
    client = running.aws("kms")
    keys, tenant_id = KMS("life-of-a-key", client), new_id("ten")

    with pytest.raises(NoSuchKey):
        keys.generate(tenant_id, "identity")
    keys.create_tenant_key(tenant_id)
    sealed = Envelope(keys).seal(tenant_id, "identity", "usr_a", b"ada")
    keys.rotate(tenant_id)
    newer = Envelope(keys).seal(tenant_id, "identity", "usr_a", b"grace")
    assert [keys.version_of(wrapping_of(each).wrapped) for each in (sealed, newer)] == [1, 2]
    with pytest.raises(DoesNotOpen):
        keys.unwrap(tenant_id, "audit", wrapping_of(sealed).wrapped)

    moved, other = keys.rewrap_all(tenant_id, "identity", [wrapping_of(sealed).wrapped, b"kms:v9:none"])
    keys.retire(tenant_id, 2)
    assert other is None
    assert Envelope(keys).open(tenant_id, "identity", "usr_a", rewrapped(sealed, moved)) == b"ada"
    with pytest.raises(DoesNotOpen):
        Envelope(keys).open(tenant_id, "identity", "usr_a", sealed)
    assert keys.describe(tenant_id).min_decryption_version == 2
    keys.trim(tenant_id, 2)
    assert sorted(keys.describe(tenant_id).versions) == [2]

    keys.destroy_tenant_key(tenant_id)
    with pytest.raises(NoSuchKey):
        Envelope(keys).open(tenant_id, "identity", "usr_a", newer)
    assert client.describe_key(KeyId=f"alias/life-of-a-key/{tenant_id}/2")["KeyMetadata"]["KeyState"] == "PendingDeletion"
