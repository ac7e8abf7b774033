"""
One event for a third party: the entry as it lies in the log, its proof, and no more of its persons than is to be told.

    {"format": "platforma audit disclosure 1", "log_id", "event": {...}, "entry": the line, "salts": {field: base64},
     "leaf_index", "tree_size", "hashes": [base64], "checkpoint": the signed note, "keys": [verifier keys]}

`event` is the entry's clear part with the personal values that are disclosed; the salt of each opens the entry's commitment
to it. What is not disclosed, or was erased, stays in a box whose key is not told. All else of the log is in it as hashes.
"""

import base64
import binascii
import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from platforma.audit import note, tree
from platforma.audit.entry import boxes_of, commitment, open_salted
from platforma.audit.errors import LogBroken
from platforma.audit.model import tenant_of
from platforma.audit.person_keys import PersonKeys
from platforma.audit.personal import unite
from platforma.audit.ports import CheckpointSigner
from platforma.audit.proof import Published
from platforma.audit.verification import Fault, LogReport, Report, Trusted
from platforma.kernel.errors import FieldError, Unprocessable

FORMAT = "platforma audit disclosure 1"
_SEALED = ("sealed", "also_sealed")
_MAX = 1 << 20


def disclose(
    log_id: str,
    sequence: int | None,
    fields: Collection[str] | None,
    *,
    published: Published,
    persons: PersonKeys,
    signer: CheckpointSigner,
) -> dict[str, Any] | None:
    """
    The entry at *sequence* for a third party, with these personal *fields* (None: all that are left); None until a
    checkpoint covers it.

    Raises:
        Unprocessable: a field is none of the event's personal ones, or was erased.
        LogBroken: the log is not whole.
        Unavailable: a dependency failed.
    """
    proof = None if sequence is None else published.inclusion(log_id, sequence)
    if proof is None:
        return None
    entry = json.loads(proof["entry"])
    boxes = boxes_of(entry)
    keys = persons.by_name(tenant_of(log_id), {box["key"] for box in boxes})
    left = {
        field: found
        for box in boxes
        if box["key"] in keys
        for field, found in open_salted(entry, box, keys[box["key"]].key).items()
    }
    told = left.keys() if fields is None else set(fields)
    if unknown := sorted(told - left.keys()):
        raise Unprocessable(
            errors=[FieldError("/fields", f"{name} is no personal field of this event, or was erased.") for name in unknown]
        )
    disclosed = {field: left[field] for field in sorted(told)}
    clear = {name: value for name, value in entry.items() if name not in _SEALED}
    return {
        "format": FORMAT,
        "log_id": log_id,
        "event": unite(clear, {field: value for field, (_, value) in disclosed.items()}),
        "entry": proof["entry"],
        "salts": {field: salt for field, (salt, _) in disclosed.items()},
        "leaf_index": proof["leaf_index"],
        "tree_size": proof["tree_size"],
        "hashes": proof["hashes"],
        "checkpoint": proof["checkpoint"],
        "keys": published.keys(log_id, signer),
    }


def verify_disclosure(body: bytes, trusted: Trusted) -> tuple[Report, tuple[note.VerifierKey, ...]]:
    """
    What is to be said of a disclosed event, and the keys that were believed on its own word: none where *trusted* names any.

    WARNING: that word is worth what it is checked against, the log's keys as its owner publishes them.
    """
    report = Report()
    own: tuple[note.VerifierKey, ...] = ()
    try:
        document = json.loads(body) if len(body) <= _MAX else None
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise LogBroken("Not a disclosed event.")
        if not trusted.named and not trusted.raw:
            own = tuple(note.parse_key(key) for key in document["keys"])
            trusted = replace(trusted, named=own)
        report.logs.append(_verified(document, trusted))
    except LogBroken as error:
        report.faults.append(Fault("disclosure", error.detail))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, binascii.Error):
        report.faults.append(Fault("disclosure", "Not a disclosed event."))
    return report, own


def _verified(document: Mapping[str, Any], trusted: Trusted) -> LogReport:
    log_id, line = document["log_id"], document["entry"].encode()
    signed = document["checkpoint"].encode()
    origin = note.parse_checkpoint(note.text_of(signed)).origin
    checkpoint = note.verify(signed, trusted.for_origin(origin))
    if not origin.endswith(f"/audit/{log_id}") or checkpoint.size != document["tree_size"]:
        raise LogBroken("The checkpoint is another log's, or of another size.")
    entry = json.loads(line)
    if entry["sequence"] != document["leaf_index"] or entry["tenant_id"] != tenant_of(log_id):
        raise LogBroken("The entry is another log's, or stands in another place.")
    path = [base64.b64decode(hash_, validate=True) for hash_ in document["hashes"]]
    tree.verify_inclusion(tree.leaf_hash(line), document["leaf_index"], checkpoint.size, path, checkpoint.root)
    _says(document["event"], entry, document["salts"])
    _agrees(checkpoint, trusted)
    received = entry["received_at"]
    return LogReport(log_id, entries=1, covered=checkpoint.size, checkpoints=1, oldest=received, newest=received)


def _says(event: Mapping[str, Any], entry: Mapping[str, Any], salts: Mapping[str, str]) -> None:
    """That *event* is the entry's clear part and, of its personal values, those whose commitments *salts* open."""
    committed = {field: hash_ for box in boxes_of(entry) for field, hash_ in box["commitments"].items()}
    values = {field: _value_at(event, field) for field in salts}
    for field, value in values.items():
        if commitment(base64.b64decode(salts[field], validate=True), value) != committed.get(field):
            raise LogBroken(f"The event's {field} is not the one committed to.")
    clear = {name: value for name, value in entry.items() if name not in _SEALED}
    if unite(clear, values) != event:
        raise LogBroken("The event says other than its entry.")


def _agrees(checkpoint: note.Checkpoint, trusted: Trusted) -> None:
    """That a checkpoint of this size which was kept elsewhere has the same root."""
    for kept in trusted.seen:
        seen = trusted.kept(kept)
        if seen.origin == checkpoint.origin and seen.size == checkpoint.size and seen.root != checkpoint.root:
            raise LogBroken("The log was another when the checkpoint that was kept was signed.")


def _value_at(event: Any, field: str) -> Any:
    place = event
    for step in field.split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        place = place[int(name)] if isinstance(place, list) else place[name]
    return place
