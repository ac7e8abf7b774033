"""What runs without a request: on a schedule, from a queue, by the stream's bell."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from platforma.bootstrap import environment, use_cases
from platforma.bootstrap.parts import audit, certificates, encryption, ground, identity, policy

if TYPE_CHECKING:
    from platforma.edge.setup import SetUp
    from platforma.kernel.events import Attempt


def mail_links(bodies: Sequence[str], request_id: str) -> dict[str, int]:
    """Mail the links that these queued requests ask for; how many were sent, and how many asked for nobody."""
    from platforma.adapters.sqs import read_request
    from platforma.kernel.errors import RateLimited

    told = {"sent": 0, "dropped": 0}
    for number, body in enumerate(bodies):
        request = read_request(body)
        attempt = _attempt(
            "identity_mail", f"{request_id}-{number}", "settings.password_links.send", tenant_id=request.tenant_id
        )
        try:
            sent = use_cases.identity.mail_link(request, attempt=attempt)
        except RateLimited:
            sent = False
        told["sent" if sent else "dropped"] += 1
    return told


def tell_clients(bodies: Sequence[str], request_id: str) -> dict[str, int]:
    """Tell the clients that these queued requests name of sessions' ends; how many of them came to what."""
    from platforma.adapters.sqs import read_logout

    told = {"delivered": 0, "pending": 0, "failed": 0, "dropped": 0}
    for number, body in enumerate(bodies):
        session_id, client_id = read_logout(body)
        attempt = _attempt("oauth_logout", f"{request_id}-{number}", "oauth.logouts.deliver")
        logout = use_cases.oauth.deliver_logout(session_id, client_id, attempt=attempt)
        told["dropped" if logout is None else logout.outcome or "pending"] += 1
    return told


def set_up() -> "SetUp":
    """What sets the platform up."""
    from platforma.adapters.dynamodb.versions import make_versions
    from platforma.edge.setup import SetUp
    from platforma.keys.signing import ensure_signing_keys

    return SetUp(
        clock=environment.clock,
        make_versions=ground.bound(make_versions),
        ensure_signing_keys=partial(
            ensure_signing_keys, ground.signing_key_store(), ground.envelope(), clock=environment.clock
        ),
        list_clients=use_cases.oauth.list_clients,
        create_client=use_cases.oauth.create_client,
        add_secret=use_cases.oauth.add_secret,
        delete_secret=use_cases.oauth.delete_secret,
        issue_key=use_cases.apikeys.issue_key,
        is_tenant=lambda tenant_id: identity.tenants().get(tenant_id) is not None,
        register_service=use_cases.identity.register_service,
        roles_of=lambda tenant_id: frozenset(policy.snapshots().of(tenant_id).policy_set.roles),
    )


def apply_keepings() -> dict[str, int]:
    """Lock what lies in the audit bucket by what its tenants decided since."""
    from platforma.adapters.s3 import S3Bucket
    from platforma.audit.keeping import apply_keepings

    bucket = S3Bucket(environment.settings().audit_bucket)
    return apply_keepings(keepings=audit.keepings(), store=audit.audit_store(), bucket=bucket, clock=environment.clock)


def rotate_signing_keys(event: Mapping[str, object], request_id: str) -> int:
    """
    Give the signing keys that are due their successors, or withdraw the one that *event* names; how many keys were made.

    Raises:
        Unprocessable: what is to be withdrawn is no text.
    """
    from platforma.kernel.errors import Unprocessable
    from platforma.keys import signing

    kid = event.get("withdraw")
    attempt = _attempt(
        "keys_rotation", request_id, "platform.signing_keys.rotate" if kid is None else "platform.signing_keys.withdraw"
    )
    if kid is None:
        return len(
            signing.rotate_signing_keys(
                ground.signing_key_store(), ground.envelope(), attempt=attempt, clock=environment.clock
            )
        )
    if not isinstance(kid, str):
        raise Unprocessable("A key is withdrawn by its kid.")
    signing.withdraw_signing_key(
        kid, ground.signing_key_store(), ground.envelope(), attempt=attempt, clock=environment.clock
    )
    return 1


def erase_persons() -> dict[str, int]:
    """Erase from the logs whoever is to be; how many are done now, and how many still open."""
    from platforma.audit.erasure import erase_persons

    return erase_persons(
        erasures=audit.erasures(), by=audit.attendant().by, published=audit.published(), host=environment.host()
    )


def make_exports() -> dict[str, Any]:
    """Work on the exports that were asked for; how many are done now, and how many failed."""
    from platforma.adapters.columns import DuckDBColumns
    from platforma.audit.exports import Exporter, run_exports

    by = Exporter(
        exports=audit.exports(),
        files=audit.export_files(),
        columns=DuckDBColumns(),
        store=audit.audit_store(),
        cold=audit.cold(60.0),  # nobody waits at a gateway
        published=audit.published(),
        envelope=ground.envelope(),
        signer=audit.checkpoint_signer(),
        clock=environment.clock,
    )
    return dict(run_exports(by))


def forget_exported() -> dict[str, int]:
    """Have exports made anew that told of who was erased since; for how many persons that is done, and still open."""
    from platforma.audit.exports import forget_exported

    return forget_exported(
        erasures=audit.erasures(), exports=audit.exports(), files=audit.export_files(), clock=environment.clock
    )


def push_streams(request_id: str) -> dict[str, Any]:
    """Push what is new to streams' receivers; how many events were delivered, and how many streams fail or are suspended."""
    from platforma.adapters.s3 import S3Bucket
    from platforma.audit.streams import Deliverer, run_streams

    def begin(tenant_id: str) -> "Attempt":
        return _attempt("audit_export", request_id, "audit.streams.suspend", tenant_id=tenant_id)

    by = Deliverer(
        streams=audit.streams(),
        store=audit.audit_store(),
        bucket=S3Bucket(environment.settings().audit_bucket),
        persons=audit.keys_of_persons(),
        envelope=ground.envelope(),
        send=audit.receivers(),
        clock=environment.clock,
        begin=begin,
    )
    return dict(run_streams(by))


def offer_checkpoints(request_id: str) -> dict[str, Any]:
    """Offer new checkpoints to witnesses; how many were cosigned, how many witnesses fail or contradict a log."""
    from platforma.adapters.s3 import S3Bucket
    from platforma.audit.witnesses import Offerer, offer_checkpoints

    def begin(tenant_id: str) -> "Attempt":
        return _attempt("audit_export", request_id, "audit.witnesses.contradict", tenant_id=tenant_id)

    by = Offerer(
        witnesses=audit.witnesses(),
        store=audit.audit_store(),
        bucket=S3Bucket(environment.settings().audit_bucket, kms_key=environment.settings().audit_key),
        ask=audit.ask_witness(),
        clock=environment.clock,
        begin=begin,
        term=audit.terms(),
    )
    return dict(offer_checkpoints(by))


def compact_logs() -> dict[str, int]:
    """Compact what is new in the logs, and remove what is of shredded tenants; how many events, how many are behind."""
    from platforma.adapters.columns import ColdColumns
    from platforma.adapters.s3 import S3Bucket
    from platforma.audit.cold import Compactor, compact, forget_ended
    from platforma.audit.exports import forget_exports_of_ended
    from platforma.audit.model import tenant_of

    store, marks, files = audit.audit_store(), audit.cold_marks(), audit.cold_files()
    ended = sorted({tenant_of(log_id) for log_id in store.ended()})
    removed = forget_ended(ended, marks=marks, files=files)
    exports, clock = audit.exports(), environment.clock
    removed += forget_exports_of_ended(ended, exports=exports, files=audit.export_files(), clock=clock)
    bucket = S3Bucket(environment.settings().audit_bucket)
    persons = audit.keys_of_persons()
    by = Compactor(store, bucket, persons, marks, files, ColdColumns(), environment.clock)
    return {**compact(by), "removed": removed}


def forget_persons() -> dict[str, int]:
    """Take out of the Parquet whoever is to be erased; how many are out now, and how many still in it."""
    from platforma.adapters.columns import ColdColumns
    from platforma.audit.cold import forget_persons

    return forget_persons(
        erasures=audit.erasures(),
        marks=audit.cold_marks(),
        files=audit.cold_files(),
        columns=ColdColumns(),
        clock=environment.clock,
    )


def purge_tenants(request_id: str) -> int:
    """
    End the tenants whose time is over; how many.

    Raises:
        Unavailable: the end of one failed, and the next run tries it again.
    """
    from platforma.kernel.errors import Unavailable

    def begin() -> "Attempt":
        return _attempt("identity_tenants", request_id, "platform.tenants.purge")

    purge = use_cases.identity.purge_tenants(begin=begin, now=environment.clock())
    if purge.failed:
        raise Unavailable("Tenants could not be ended.", tenants=" ".join(purge.failed))
    return len(purge.ended)


def renew_client_certificates(request_id: str, *, every: bool = False) -> list[str]:
    """Renew what is due, or with *every* all; the functions whose certificate is new."""
    from platforma.adapters.secretsmanager import FunctionCertificates
    from platforma.certificates import renew_client_certificates

    attempt = _attempt("certificates_renew", request_id, "platform.certificates.renew")
    holder = FunctionCertificates(environment.settings().vault_secrets)
    return renew_client_certificates(
        environment.VAULT_FUNCTIONS,
        issuer=ground.vault(),
        holder=holder,
        outbox=ground.outbox(),
        attempt=attempt,
        every=every,
    )


def work_on_certificates(request_id: str) -> dict[str, Any]:
    """Follow orders and renew what is due for most of a minute; how many steps were taken, and how many are late."""
    from platforma.certificates import Worker

    attempt = _attempt("certificates_manage", request_id, "platform.certificates.work")
    worker = Worker(
        certificates=certificates.records(),
        authority=certificates.authority(),
        dns=certificates.zones(),
        installers=certificates.installers(),
        sealer=ground.envelope(),
        attempt=attempt,
    )
    worked = worker.run(until=environment.clock() + timedelta(seconds=40))
    return {"steps": worked.steps, "late": worked.late}


def sso_upkeep(request_id: str) -> dict[str, Any]:
    """
    Keep what connections rest on current; how many domains were checked and how many lost, how many providers changed or
    could not be read, and how many have certificates that end.
    """

    def attempt_for(tenant_id: str, action: str = "settings.domains.check") -> "Attempt":
        return _attempt("sso_upkeep", request_id, action, tenant_id=tenant_id)

    return {
        **use_cases.sso.recheck_domains(attempt_for=attempt_for),
        **use_cases.sso.refresh_connections(attempt_for=attempt_for),
    }


def rewrap(request_id: str) -> str:
    """Move sealed records on for most of a minute; how it ended."""
    from platforma.adapters.dynamodb.sealed_records import DynamoDBSealedRecords
    from platforma.keys.encryption import Rewrapper

    attempt = _attempt("keys_upkeep", request_id, "crypto.keys.retire")
    records = DynamoDBSealedRecords(environment.settings().tables)
    worker = Rewrapper(
        keys=ground.data_keys(), jobs=encryption.rewraps(), records=records, clock=environment.clock, attempt=attempt
    )
    return worker.run(until=environment.clock() + timedelta(seconds=40))


def _attempt(function: str, request_id: str, action: str, tenant_id: str | None = None) -> "Attempt":
    """What *function* does by itself; for the platform, unless a tenant is named."""
    from platforma.kernel.events import Attempt
    from platforma.kernel.tenancy import PLATFORM

    return Attempt(
        request_id=request_id,
        action=action,
        clock=environment.clock,
        source="schedule",
        tenant_id=tenant_id or PLATFORM,
        principal_type="system",
        principal_id=function,
    )
