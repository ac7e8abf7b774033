"""What controls are held to: completed reviews, and where evidence is read."""

from functools import cache
from typing import TYPE_CHECKING

from platforma.bootstrap import environment
from platforma.bootstrap.parts import apikeys, audit, edge, ground, identity, oauth, policy

if TYPE_CHECKING:
    from platforma.adapters.dynamodb.reviews import DynamoDBReviews
    from platforma.adapters.tls_endpoints import TLSEndpoints
    from platforma.compliance.access import Rights
    from platforma.compliance.evidence import Sources
    from platforma.edge.call import Call


@cache
def reviews() -> "DynamoDBReviews":
    """Completed access reviews."""
    from platforma.adapters.dynamodb.reviews import DynamoDBReviews

    return ground.bound(DynamoDBReviews(ground.tables(), ground.outbox(), ground.envelope()))


def endpoints() -> "TLSEndpoints":
    """The deployed endpoints, to be knocked at."""
    from platforma.adapters.tls_endpoints import TLSEndpoints

    settings = environment.settings()
    return TLSEndpoints(settings.url, settings.internal_url, ca_file=settings.fetch_ca_file)


def evidence_sources() -> "Sources":
    """Where the evidence of controls is read."""
    from platforma.adapters.estate import AWSEstate
    from platforma.compliance.evidence import Sources

    settings = environment.settings()
    estate = AWSEstate(
        settings.tables,
        (settings.audit_bucket, settings.exports_bucket, settings.objects_bucket, settings.cold_bucket),
        settings.alarm_prefix,
        access_logs=settings.access_logs_bucket,
        queues=settings.queues,
    )
    return Sources(
        endpoints=endpoints(),
        estate=estate,
        directory=identity.directory(),
        groups=identity.groups(),
        factors=identity.factor_store(),
        administration=policy.administration_of,
        keys=apikeys.keys(),
        clients=oauth.clients(),
        store=audit.audit_store(),
        published=audit.published(),
        signer=audit.checkpoint_signer(),
        ledger=audit.ledger(),
        keepings=audit.keepings(),
        least_years=settings.audit_retention_years,
        tenant_keys=ground.data_keys(),
        signing_keys=ground.signing_key_store(),
        reviews=reviews(),
        clock=environment.clock,
    )


def rights() -> "Rights":
    """Where access is read."""
    from platforma.compliance.access import Rights

    return Rights(
        directory=identity.directory(),
        groups=identity.groups(),
        factors=identity.factor_store(),
        clients=oauth.clients(),
        keys=apikeys.keys(),
        services=identity.services(),
        store=audit.audit_store(),
        subject_of=edge.subjects().of,
        rules_of=lambda tenant_id: policy.snapshots().of(tenant_id).policy_set,
        clock=environment.clock,
    )


def policy_version(call: "Call") -> int:
    """How many changes of rights the caller's tenant has seen."""
    return identity.directory().turn(call.tenant_id)
