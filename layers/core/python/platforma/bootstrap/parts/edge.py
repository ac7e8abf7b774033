"""What every function's edge is given: who asks, what they may give, how they are answered."""

from functools import cache, partial
from typing import TYPE_CHECKING

from platforma.bootstrap import environment
from platforma.bootstrap.parts import apikeys, ground, identity, oauth, policy

if TYPE_CHECKING:
    from platforma.edge.analyses import Analyst
    from platforma.edge.api import Edge
    from platforma.edge.authentication import Authenticator
    from platforma.edge.call import Call
    from platforma.edge.cursors import Cursors
    from platforma.edge.decisions import Desk
    from platforma.edge.giving import Giving
    from platforma.edge.idempotency import Idempotency
    from platforma.edge.principals import Principals
    from platforma.edge.proofs import Proofs
    from platforma.edge.subjects import Subjects
    from platforma.oauth.access_token import AccessToken


@cache
def subjects() -> "Subjects":
    """Principals as the decision engine sees them."""
    from platforma.edge.subjects import Subjects
    from platforma.identity.principals import read_principal

    principal = partial(read_principal, directory=identity.directory(), groups=identity.groups())
    return Subjects(
        principal=principal,
        clients=oauth.clients(),
        keys=apikeys.keys,
        services=identity.services,
        revocations=oauth.revocations,
        snapshots=policy.snapshots(),
        clock=environment.clock,
    )


@cache
def principals() -> "Principals":
    """Everyone in a tenant, as the decision engine sees them."""
    from platforma.edge.principals import Principals
    from platforma.identity.principals import read_page

    users = partial(read_page, directory=identity.directory(), groups=identity.groups())
    return Principals(users=users, clients=oauth.clients(), keys=apikeys.keys, subjects=subjects())


@cache
def authenticator() -> "Authenticator":
    """What proves credentials."""
    from platforma.edge.authentication import Authenticator

    return Authenticator(
        issuer=environment.issuer(),
        signing_keys=ground.signing_keys(),
        keys=apikeys.keys(),
        limiter=apikeys.limiter(),
        secrets=ground.secrets(),
        subjects=subjects(),
        clock=environment.clock,
    )


def is_live(token: "AccessToken") -> bool:
    """Whether the subject and the client of a verified token are active, and nothing of it was revoked."""
    subject = subjects().of_token(token)
    return subject is not None and subject.active


@cache
def proofs() -> "Proofs":
    """What checks proofs of possession."""
    from platforma.edge.proofs import Proofs

    origins = [url for url in (environment.issuer(), environment.settings().internal_url) if url]
    return Proofs(origins=origins, secrets=ground.secrets(), single_use=ground.single_use, clock=environment.clock)


@cache
def cursors() -> "Cursors":
    """What seals the positions in lists."""
    from platforma.edge.cursors import Cursors

    return Cursors(lambda: ground.secrets().secret("cursor"))


@cache
def idempotency() -> "Idempotency":
    """What answers a creating request once for each of its keys."""
    from platforma.adapters.dynamodb.idempotency import DynamoDBClaims
    from platforma.edge.idempotency import Idempotency

    return Idempotency(
        ground.bound(DynamoDBClaims(ground.tables())), ground.envelope(), lambda: ground.secrets().secret("lookup")
    )


@cache
def edge() -> "Edge":
    """What every function's edge needs."""
    from platforma.edge.api import Edge

    return Edge(
        clock=environment.clock,
        authenticator=authenticator,
        snapshots=policy.snapshots,
        enter=lambda event: ground.outbox().enter(event),
        cursors=cursors,
        idempotency=idempotency,
        certificate_header=environment.settings().certificate_header,
        proofs=proofs,
        issuer=environment.issuer(),
        redirect_uris=oauth.redirect_uris_of,
    )


def giving(call: "Call") -> "Giving":
    """What the caller may give."""
    from platforma.edge.giving import Giving

    return Giving(call, policy.snapshots().current(call.tenant_id), subjects(), environment.clock())


def desk(call: "Call") -> "Desk":
    """Where the caller's questions are decided."""
    from platforma.edge.decisions import Desk

    return Desk(
        call,
        policy.snapshots().of(call.tenant_id),
        subjects(),
        known=policy.known_resource,
        user_at=identity.user_at,
        now=environment.clock(),
    )


def analyst(call: "Call") -> "Analyst":
    """What compares the rules of the caller's tenant with others."""
    from platforma.edge.analyses import Analyst

    return Analyst(call.tenant_id, environment.clock(), principals())
