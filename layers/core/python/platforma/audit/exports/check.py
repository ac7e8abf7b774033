"""
Verification of an export as it lies in a folder, with nothing trusted but public keys.

The manifest's signature and every file's hash; that each event has a proof and each proof leads to the root of a signed
checkpoint; and, where an export is JSONL, that each event says what its entry does: the clear fields as they stand there,
the personal ones as committed to. What was erased has no value left to check.
"""

import base64
import binascii
import gzip
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from platforma.audit import note, tree
from platforma.audit.entry import boxes_of, commitment
from platforma.audit.errors import LogBroken
from platforma.audit.exports.manifest import verify_manifest
from platforma.audit.exports.model import MANIFEST
from platforma.audit.model import tenant_of
from platforma.audit.personal import unite
from platforma.audit.verification import Fault, LogReport, Report, Source, Trusted

_OURS = ("sealed", "also_sealed")


def is_export(source: Source) -> bool:
    """Whether there is a manifest."""
    return MANIFEST in set(source.names())


def own_keys(source: Source) -> tuple[note.VerifierKey, ...]:
    """
    The key that the manifest says it is signed by; none where there is no such manifest.

    WARNING: it is worth what it is checked against, the log's keys as its owner publishes them.
    """
    if not is_export(source):
        return ()
    try:
        return (note.parse_key(json.loads(source.read(MANIFEST).body)["signature"]["key"]),)
    except (LogBroken, ValueError, KeyError, TypeError, AttributeError):
        return ()


def verify_export(source: Source, trusted: Trusted) -> Report:
    """Verify the export in *source*; a log's report counts the events that were proved to be in it."""
    report = Report()
    try:
        body = source.read(MANIFEST).body
        manifest = verify_manifest(body, [*trusted.named, *(note.VerifierKey("-", raw) for raw in trusted.raw)])
        roots = {log_id: _root(log_id, log, trusted) for log_id, log in manifest["logs"].items()}
    except (LogBroken, KeyError, TypeError, ValueError) as error:
        report.faults.append(Fault(MANIFEST, error.detail if isinstance(error, LogBroken) else "Not a manifest."))
        return report
    report.logs = [LogReport(log_id, covered=checkpoint.size, checkpoints=1) for log_id, checkpoint in roots.items()]
    stated, names = {file["name"]: file for file in manifest["files"]}, set(source.names())
    for name in sorted(names - stated.keys() - {MANIFEST}):
        report.faults.append(Fault(name, "The manifest does not name it."))
    bodies: dict[str, bytes] = {}
    for name, file in stated.items():
        found = source.read(name).body if name in names else None
        if found is None:
            report.faults.append(Fault(name, "Is missing."))
        elif hashlib.sha256(found).hexdigest() != file["sha256"]:
            report.faults.append(Fault(name, "Has another SHA-256 than the manifest says."))
        elif name.startswith("proofs-"):
            events = f"events-{name[7:].partition('.')[0]}.jsonl"
            shown = bodies.pop(events, None) if manifest["format"] == "jsonl" else None
            _proofs(name, found, shown, manifest["tenant_id"], roots, report)
        elif manifest["format"] == "jsonl":
            bodies[name] = found
    proved = sum(log.entries for log in report.logs)
    if not report.faults and not proved == manifest["events"] == sum(file["events"] for file in stated.values()):
        report.faults.append(Fault(MANIFEST, f"Says {manifest['events']} events, and {proved} are proved."))
    return report


def _root(log_id: str, log: Mapping[str, Any], trusted: Trusted) -> note.Checkpoint:
    signed = str(log["checkpoint"]).encode()
    origin = note.parse_checkpoint(note.text_of(signed)).origin
    checkpoint = note.verify(signed, trusted.for_origin(origin))
    if checkpoint.size != log["size"] or not origin.endswith(f"/audit/{log_id}"):
        raise LogBroken("A checkpoint is another log's or of another size.", log_id=log_id)
    return checkpoint


def _proofs(
    name: str, packed: bytes, shown: bytes | None, tenant_id: str, roots: Mapping[str, note.Checkpoint], report: Report
) -> None:
    logs = {log.log_id: log for log in report.logs}
    events = io.BytesIO(shown) if shown is not None else None
    for number, line in enumerate(_lines(packed), 1):
        try:
            proof = json.loads(line)
            entry = _proved(proof, tenant_id, roots)
            if events is not None:
                _says(json.loads(next(events, b"null")), entry, proof["salts"])
        except LogBroken as error:
            report.faults.append(Fault(f"{name} line {number}", error.detail))
            return
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, binascii.Error):
            report.faults.append(Fault(f"{name} line {number}", "Is not a proof, or not of the event beside it."))
            return
        logs[proof["log_id"]].entries += 1
    if events is not None and next(events, None) is not None:
        report.faults.append(Fault(name, "Events have no proof."))


def _lines(packed: bytes) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=io.BytesIO(packed)) as source:
        yield from source


def _proved(proof: Mapping[str, Any], tenant_id: str, roots: Mapping[str, note.Checkpoint]) -> Mapping[str, Any]:
    """The entry, which is in its log."""
    checkpoint, entry = roots[proof["log_id"]], proof["entry"].encode()
    document = json.loads(entry)
    if (document["id"], document["sequence"], document["tenant_id"]) != (proof["id"], proof["index"], tenant_id):
        raise LogBroken("The entry is another than the proof says.")
    if tenant_of(proof["log_id"]) != tenant_id:
        raise LogBroken("The log is another tenant's.")
    path = [base64.b64decode(hash_, validate=True) for hash_ in proof["hashes"]]
    tree.verify_inclusion(tree.leaf_hash(entry), proof["index"], checkpoint.size, path, checkpoint.root)
    return dict(document)


def _says(event: Mapping[str, Any], entry: Mapping[str, Any], salts: Mapping[str, str]) -> None:
    """That *event* is what its entry says, as far as its personal values were not erased."""
    clear = {name: value for name, value in entry.items() if name not in _OURS}
    committed = {field: hash_ for box in boxes_of(entry) for field, hash_ in box["commitments"].items()}
    values = {field: found for field in committed if (found := _value_at(event, field)) is not None}
    for field, value in values.items():
        salt = salts.get(field)
        if salt is not None and commitment(base64.b64decode(salt), value) != committed[field]:
            raise LogBroken(f"The event's {field} is not the one committed to.")
    if unite(clear, values) != {name: value for name, value in event.items() if value is not None or name in clear}:
        raise LogBroken("The event says other than its entry.")


def _value_at(event: Any, field: str) -> Any:
    place = event
    for step in field.split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        place = place[int(name)] if isinstance(place, list) else place.get(name)
        if place is None:
            return None
    return place
