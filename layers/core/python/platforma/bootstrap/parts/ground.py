"""What every area stands on: tables, Vault, the outbox of events, signing keys, calls to strangers' addresses."""

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from platforma.bootstrap import environment

if TYPE_CHECKING:
    from platforma.adapters.dynamodb.audit import Outbox
    from platforma.adapters.dynamodb.single_use import DynamoDBSingleUse
    from platforma.adapters.dynamodb.tables import Tables
    from platforma.adapters.fetch import PublicFetch
    from platforma.adapters.kms import KMS
    from platforma.adapters.vault import Vault
    from platforma.keys.envelope import Envelope
    from platforma.keys.secrets import CachedSecrets
    from platforma.keys.signing import SigningKeys


Adapter = TypeVar("Adapter")


@cache
def tables() -> "Tables":
    """The deployed tables."""
    from platforma.adapters.dynamodb.tables import Tables

    return Tables(dict(environment.settings().tables), environment.settings().region)


@cache
def vault() -> "Vault":
    """Vault, as this function's own role."""
    from platforma.adapters.secretsmanager import ClientCertificates
    from platforma.adapters.vault import Vault

    return Vault(
        environment.settings().vault_addr,
        environment.settings().vault_role,
        ClientCertificates(environment.settings().vault_secret),
        environment.clock,
    )


@cache
def data_keys() -> "KMS | Vault":
    """Who keeps tenants' keys and wraps data keys under them: KMS where the deployment chose it, else Vault."""
    if not (prefix := environment.settings().kms_prefix):
        return vault()
    from platforma.adapters.kms import KMS

    return KMS(prefix)


@cache
def envelope() -> "Envelope":
    """Envelope encryption under tenants' keys."""
    from platforma.keys.envelope import Envelope

    return Envelope(data_keys(), environment.clock)


@cache
def secrets() -> "CachedSecrets":
    """Peppers and the like, from Vault."""
    from platforma.keys.secrets import CachedSecrets

    return CachedSecrets(vault(), environment.clock)


@cache
def outbox() -> "Outbox":
    """Where events go first."""
    from platforma.adapters.dynamodb.audit import Outbox

    return bound(Outbox(tables(), envelope(), environment.clock))


@cache
def signing_keys() -> "SigningKeys":
    """The keys that tokens are signed and verified with."""
    from platforma.keys.signing import SigningKeys

    return SigningKeys(signing_key_store(), envelope(), environment.clock)


@cache
def signing_key_store() -> Any:
    """Where signing keys are kept."""
    from platforma.adapters.dynamodb.keys import DynamoDBSigningKeyStore

    return bound(DynamoDBSigningKeyStore(tables(), outbox()))


@cache
def fetch() -> "PublicFetch":
    """What calls addresses that strangers choose."""
    from ipaddress import ip_network

    from platforma.adapters.fetch import PublicFetch

    return PublicFetch(
        networks=tuple(map(ip_network, environment.settings().fetch_networks)), ca_file=environment.settings().fetch_ca_file
    )


@cache
def single_use() -> "DynamoDBSingleUse":
    """What is good for one use."""
    from platforma.adapters.dynamodb.single_use import DynamoDBSingleUse

    return bound(DynamoDBSingleUse(tables(), environment.clock))


def bound(adapter: Adapter) -> Adapter:
    """The adapter, once the tables are open."""
    tables().bind()
    return adapter
