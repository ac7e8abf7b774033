"""What encryption's, objects' and shredding's use cases are given."""

from functools import cache
from typing import TYPE_CHECKING

from platforma.bootstrap import environment
from platforma.bootstrap.parts import ground

if TYPE_CHECKING:
    from platforma.adapters.dynamodb.objects import DynamoDBObjects
    from platforma.adapters.dynamodb.rewrap import DynamoDBRewraps
    from platforma.adapters.dynamodb.shreddings import DynamoDBShreddings
    from platforma.adapters.relay_call import RelayedLogs
    from platforma.adapters.s3_objects import S3Objects
    from platforma.edge.statements import Statements
    from platforma.kernel.events import Attempt
    from platforma.keys.encryption import Keyring
    from platforma.keys.objects.names import Names


@cache
def keyring() -> "Keyring":
    """Tenants' long-lived data keys."""
    from platforma.adapters.dynamodb.keyrings import DynamoDBKeyrings
    from platforma.keys.encryption import Keyring

    return Keyring(ground.bound(DynamoDBKeyrings()), ground.envelope(), environment.clock)


@cache
def rewraps() -> "DynamoDBRewraps":
    """Jobs that move records to newer versions of keys."""
    from platforma.adapters.dynamodb.rewrap import DynamoDBRewraps

    return ground.bound(DynamoDBRewraps(ground.tables(), ground.outbox()))


@cache
def object_store() -> "DynamoDBObjects":
    """What is known of objects and uploads."""
    from platforma.adapters.dynamodb.objects import DynamoDBObjects

    return ground.bound(DynamoDBObjects(ground.tables(), ground.outbox()))


@cache
def object_bucket() -> "S3Objects":
    """Objects' sealed bytes."""
    from platforma.adapters.s3_objects import S3Objects, TenantSessions

    bucket, role = environment.settings().objects_bucket, environment.settings().objects_role
    return S3Objects(bucket, TenantSessions(role, bucket, environment.clock) if role else None)


@cache
def object_names() -> "Names":
    """What tables and logs call objects."""
    from platforma.keys.objects.names import Names

    return Names(keyring())


@cache
def shreddings() -> "DynamoDBShreddings":
    """What was shredded."""
    from platforma.adapters.dynamodb.shreddings import DynamoDBShreddings

    return ground.bound(DynamoDBShreddings(ground.tables(), ground.outbox()))


@cache
def tenant_logs() -> "RelayedLogs":
    """A tenant's logs, settled before its key goes."""
    from platforma.adapters.relay_call import RelayedLogs

    return RelayedLogs(environment.settings().relay_function)


def statements() -> "Statements":
    """The key that we make statements by."""
    from platforma.adapters.checkpoint_signer import VaultCheckpointSigner
    from platforma.edge.statements import Statements

    return Statements(environment.host(), VaultCheckpointSigner(ground.vault(), "statements"))


class Shredder:
    """`platforma.identity.ports.Shredder`."""

    def shred(self, tenant_id: str, attempt: "Attempt") -> None:
        """Forget what identity providers gave the tenant, destroy its key, and state that."""
        from platforma.keys.shredding import shred_tenant

        ground.vault().forget_provider_secrets(tenant_id)
        shred_tenant(
            tenant_id,
            keys=ground.data_keys(),
            shreddings=shreddings(),
            logs=tenant_logs(),
            statements=statements(),
            attempt=attempt,
        )
