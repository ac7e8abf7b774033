"""What keeps, reads and exports the audit logs."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from platforma.bootstrap import environment
from platforma.bootstrap.parts import ground

if TYPE_CHECKING:
    from platforma.adapters.checkpoint_signer import VaultCheckpointSigner
    from platforma.adapters.dynamodb.audit_ledger import DynamoDBLedger
    from platforma.adapters.dynamodb.audit_log import DynamoDBLogStore
    from platforma.adapters.dynamodb.audit_streams import DynamoDBStreams
    from platforma.adapters.dynamodb.audit_witnesses import DynamoDBWitnesses
    from platforma.adapters.dynamodb.cold_marks import DynamoDBMarks
    from platforma.adapters.dynamodb.erasures import DynamoDBErasures
    from platforma.adapters.dynamodb.exports import DynamoDBExports
    from platforma.adapters.dynamodb.keepings import DynamoDBKeepings
    from platforma.adapters.dynamodb.person_keys import DynamoDBPersonKeys
    from platforma.adapters.s3_cold import S3ColdFiles
    from platforma.adapters.s3_files import S3Files
    from platforma.audit.attend import Attendant
    from platforma.audit.cold.read import Cold
    from platforma.audit.person_keys import PersonKeys
    from platforma.audit.proof import Published
    from platforma.audit.retention import Term
    from platforma.audit.streams.ports import Send
    from platforma.audit.witnesses.ports import Ask


@cache
def audit_store() -> "DynamoDBLogStore":
    """Logs as the tables have them: what waits, what is hot, each log's head."""
    from platforma.adapters.dynamodb.audit_log import DynamoDBLogStore

    return ground.bound(DynamoDBLogStore(ground.tables()))


@cache
def ledger() -> "DynamoDBLedger":
    """What logs said of requests, and whether each has its event."""
    from platforma.adapters.dynamodb.audit_ledger import DynamoDBLedger

    return ground.bound(DynamoDBLedger(ground.tables()))


@cache
def person_keys() -> "DynamoDBPersonKeys":
    """The keys of persons, as the logs seal under them."""
    from platforma.adapters.dynamodb.person_keys import DynamoDBPersonKeys

    return ground.bound(DynamoDBPersonKeys())


@cache
def keys_of_persons() -> "PersonKeys":
    """The keys of persons, opened."""
    from platforma.audit.person_keys import PersonKeys

    return PersonKeys(person_keys(), ground.envelope(), environment.clock)


@cache
def cold_marks() -> "DynamoDBMarks":
    """How far the logs are compacted."""
    from platforma.adapters.dynamodb.cold_marks import DynamoDBMarks

    return ground.bound(DynamoDBMarks(ground.tables()))


@cache
def cold(patience: float = 10.0) -> "Cold":
    """What reads old events; *patience*, in seconds, is for one answer. A gateway waits 29."""
    from platforma.adapters.athena import AthenaTable
    from platforma.audit.cold.read import Cold

    settings = environment.settings()
    table = AthenaTable(workgroup=settings.cold_workgroup, database=settings.cold_database, patience=patience)
    return Cold(cold_marks(), table, environment.clock)


@cache
def cold_files() -> "S3ColdFiles":
    """Where old events lie in Parquet."""
    from platforma.adapters.s3_cold import S3ColdFiles

    return S3ColdFiles(environment.settings().cold_bucket, kms_key=environment.settings().audit_key)


def attendant() -> "Attendant":
    """What looks after the audit logs."""
    from platforma.adapters.s3 import S3Bucket
    from platforma.audit.attend import Attendant
    from platforma.audit.relay import Relay

    bucket = S3Bucket(environment.settings().audit_bucket, kms_key=environment.settings().audit_key)
    persons = keys_of_persons()
    by = Relay(audit_store(), bucket, ground.envelope(), persons, environment.clock, term=terms())
    return Attendant(by, checkpoint_signer(), ground.outbox(), environment.host())


@cache
def keepings() -> "DynamoDBKeepings":
    """How long tenants keep their logs."""
    from platforma.adapters.dynamodb.keepings import DynamoDBKeepings

    return ground.bound(DynamoDBKeepings(ground.tables(), ground.outbox()))


@cache
def terms() -> "Callable[[str], Term]":
    """Each tenant's term, as it was 20 seconds ago at most: much less than changes of it wait to be applied."""
    from platforma.audit.keeping import read_keeping
    from platforma.audit.retention import Term
    from platforma.keys.expiring import Expiring

    known: Expiring[str, Term] = Expiring(environment.clock, lifetime=timedelta(seconds=20), size=1024)

    def term(tenant_id: str) -> Term:
        if (found := known.get(tenant_id)) is None:
            kept = read_keeping(tenant_id, keepings=keepings(), least=environment.settings().audit_retention_years)
            found = Term(kept.years, kept.legal_hold)
            known.put(tenant_id, found)
        return found

    return term


def checkpoint_signer() -> "VaultCheckpointSigner":
    """The key that signs checkpoints."""
    from platforma.adapters.checkpoint_signer import VaultCheckpointSigner

    return VaultCheckpointSigner(ground.vault())


@cache
def published() -> "Published":
    """The logs as their readers see them."""
    from platforma.adapters.s3 import S3Bucket
    from platforma.audit.proof import Published

    return Published(audit_store(), S3Bucket(environment.settings().audit_bucket))


@cache
def exports() -> "DynamoDBExports":
    """Exports on record."""
    from platforma.adapters.dynamodb.exports import DynamoDBExports

    return ground.bound(DynamoDBExports(ground.tables(), ground.outbox()))


@cache
def streams() -> "DynamoDBStreams":
    """Where events are pushed, and how far."""
    from platforma.adapters.dynamodb.audit_streams import DynamoDBStreams

    return ground.bound(DynamoDBStreams(ground.tables(), ground.outbox()))


def receivers() -> "Send":
    """What calls the receivers of streams."""
    from platforma.adapters.receivers import Receivers

    return Receivers(ground.fetch())


@cache
def witnesses() -> "DynamoDBWitnesses":
    """Whom checkpoints are offered to, and how it stands with each."""
    from platforma.adapters.dynamodb.audit_witnesses import DynamoDBWitnesses

    return ground.bound(DynamoDBWitnesses(ground.tables(), ground.outbox(), environment.clock))


def ask_witness() -> "Ask":
    """What calls witnesses."""
    from platforma.adapters.witness_call import WitnessCall

    return WitnessCall(ground.fetch())


@cache
def export_files() -> "S3Files":
    """Where exports' files lie."""
    from platforma.adapters.s3_files import S3Files

    return S3Files(environment.settings().exports_bucket, kms_key=environment.settings().audit_key)


@cache
def erasures() -> "DynamoDBErasures":
    """Erasures on record."""
    from platforma.adapters.dynamodb.erasures import DynamoDBErasures

    return ground.bound(DynamoDBErasures(ground.tables(), ground.outbox()))
