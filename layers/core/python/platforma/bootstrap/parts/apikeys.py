"""What the use cases of API keys are given."""

from functools import cache
from typing import TYPE_CHECKING

from platforma.bootstrap import environment
from platforma.bootstrap.parts import ground, policy

if TYPE_CHECKING:
    from platforma.adapters.dynamodb.apikeys import DynamoDBKeys
    from platforma.adapters.dynamodb.expiry_notices import DynamoDBNotices
    from platforma.adapters.dynamodb.leaks import DynamoDBLeaks
    from platforma.adapters.dynamodb.rate_limits import DynamoDBLimits, DynamoDBLimitSettings
    from platforma.adapters.scanner_keys import FetchedScannerKeys
    from platforma.apikeys.rate_limit import Limiter


@cache
def keys() -> "DynamoDBKeys":
    """API keys on record."""
    from platforma.adapters.dynamodb.apikeys import DynamoDBKeys

    return ground.bound(DynamoDBKeys(ground.tables(), ground.outbox(), ground.envelope()))


@cache
def notices() -> "DynamoDBNotices":
    """Notices of keys' ends."""
    from platforma.adapters.dynamodb.expiry_notices import DynamoDBNotices

    return ground.bound(DynamoDBNotices(ground.tables(), ground.outbox()))


@cache
def leaks() -> "DynamoDBLeaks":
    """Where keys were found, and what tenants want done."""
    from platforma.adapters.dynamodb.leaks import DynamoDBLeaks

    return ground.bound(DynamoDBLeaks(ground.tables(), ground.outbox()))


@cache
def scanner_keys() -> "FetchedScannerKeys":
    """The public keys of the scanner that reports leaks."""
    from platforma.adapters.scanner_keys import FetchedScannerKeys

    return FetchedScannerKeys(environment.settings().secret_scanning_keys_url, ground.fetch().get, environment.clock)


@cache
def limits() -> "DynamoDBLimits":
    """Counters of rate limits."""
    from platforma.adapters.dynamodb.rate_limits import DynamoDBLimits

    return ground.bound(DynamoDBLimits())


@cache
def limit_settings() -> "DynamoDBLimitSettings":
    """The rate limits that owners and tenants have."""
    from platforma.adapters.dynamodb.rate_limits import DynamoDBLimitSettings

    return ground.bound(DynamoDBLimitSettings(ground.tables(), ground.outbox()))


@cache
def limiter() -> "Limiter":
    """What charges the uses of keys, and holds this instance's leases."""
    from platforma.apikeys.rate_limit import Limiter
    from platforma.apikeys.shared_limits import SharedLimits

    return Limiter(limits(), SharedLimits(limit_settings(), lambda tenant_id: policy.snapshots().of(tenant_id).versions).of)
