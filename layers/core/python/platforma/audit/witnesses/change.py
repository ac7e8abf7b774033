"""Whom a tenant chooses as witnesses of its logs. One that is to be another is let go and chosen anew."""

from collections.abc import Sequence

from platforma.audit.called_url import is_called
from platforma.audit.cosignature import parse_witness_key
from platforma.audit.witnesses.errors import TooManyWitnesses, WitnessChosenBefore
from platforma.audit.witnesses.model import MOST, ChosenWitness
from platforma.audit.witnesses.ports import Witnesses
from platforma.kernel.clock import rfc3339
from platforma.kernel.errors import FieldError, NotFound, PreconditionFailed, Unprocessable
from platforma.kernel.events import Attempt
from platforma.kernel.ids import is_id, new_id

_TYPE = "witness"


def choose_witness(key: str, url: str, *, witnesses: Witnesses, attempt: Attempt) -> ChosenWitness:
    """
    Have checkpoints offered, from the next one on, to the witness of this verifier *key* at `{url}/add-checkpoint`.

    Raises:
        Unprocessable: it is no key of an Ed25519 cosigner, its name has no place in an object's, or its URL is not called.
        WitnessChosenBefore, TooManyWitnesses: there is one with this key; there are ten.
    """
    faults = []
    try:
        verifier = parse_witness_key(key)
        if not verifier.is_storable:
            faults.append(
                FieldError("/verifier_key", "The name must be a URL without its scheme, such as witness.example/w.")
            )
    except ValueError:
        faults.append(
            FieldError("/verifier_key", "Must be <name>+<id>+<base64> of an Ed25519 cosigner (C2SP tlog-cosignature).")
        )
    if not is_called(url) or "?" in url:
        faults.append(FieldError("/url", "Must be an https URL without credentials, query or fragment."))
    if faults:
        raise Unprocessable(errors=faults)
    kept = witnesses.listed(attempt.tenant_id, after=None, limit=MOST)
    if str(verifier) in {one.key for one in kept}:
        raise WitnessChosenBefore
    if len(kept) >= MOST:
        raise TooManyWitnesses
    witness = ChosenWitness(
        new_id("wit"),
        attempt.tenant_id,
        str(verifier),
        url.rstrip("/"),
        created_at=rfc3339(attempt.clock()),
        created_by=attempt.principal_id or "",
    )
    told = {"after": witness.told()}
    witnesses.add(witness, attempt.event("success", resource=witness.id, resource_type=_TYPE, changes=told))
    return witness


def read_witness(tenant_id: str, witness_id: str, *, witnesses: Witnesses) -> ChosenWitness:
    """
    The witness of this id.

    Raises:
        NotFound: the tenant has none.
    """
    found = witnesses.get(tenant_id, witness_id) if is_id(witness_id, "wit") else None
    if found is None:
        raise NotFound
    return found


def list_witnesses(
    tenant_id: str, *, limit: int, after: str | None, witnesses: Witnesses
) -> tuple[Sequence[ChosenWitness], str | None]:
    """A page of the tenant's witnesses, and the id to go on behind."""
    found = witnesses.listed(tenant_id, after=after, limit=limit + 1)
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def dismiss_witness(witness_id: str, *, if_match: int | None, witnesses: Witnesses, attempt: Attempt) -> None:
    """
    Offer it nothing more; what it cosigned stays.

    Raises:
        NotFound, PreconditionFailed: there is none, or another version of it.
    """
    before = read_witness(attempt.tenant_id, witness_id, witnesses=witnesses)
    if if_match not in (None, before.version):
        raise PreconditionFailed
    told = {"before": before.told(), "after": None}
    witnesses.remove(before, attempt.event("success", resource=witness_id, resource_type=_TYPE, changes=told))
