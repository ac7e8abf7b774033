"""
`python -m platforma.audit verify <folder, file or s3://bucket>`: verify logs, an export or a disclosed event, offline, with
nothing but public keys.

Exit status: 0 all is whole, 1 something is wrong, 2 the command is. A bucket needs boto3, a folder nothing of AWS.
"""

import argparse
import base64
import binascii
import importlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from platforma.audit.disclosure import verify_disclosure
from platforma.audit.exports.check import is_export, verify_export
from platforma.audit.note import VerifierKey, parse_key
from platforma.audit.retention import YEARS
from platforma.audit.sources import Folder
from platforma.audit.verify import LogReport, Report, Source, Trusted, verify
from platforma.kernel.errors import Unavailable

_S3 = "s3://"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status."""
    options = _parser().parse_args(arguments)
    try:
        named, raw = tuple(_named(options.key, options.keys)), tuple(_raw(key) for key in options.public_key)
        trusted = Trusted(named, raw, tuple(file.read_bytes() for file in options.checkpoint))
        disclosed = Path(options.source).read_bytes() if Path(options.source).is_file() else None
        source = _source(options.source) if disclosed is None else None
    except (OSError, ValueError, ImportError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if source is None:
        return _disclosure(disclosed or b"", trusted, as_json=options.json)
    if not trusted.named and not trusted.raw:
        sys.stderr.write("Say whom to believe: --key, --keys or --public-key.\n")
        return 2
    try:
        report = (
            verify_export(source, trusted)
            if is_export(source)
            else verify(source, trusted, years=options.years, only=options.log)
        )
    except Unavailable as error:
        sys.stderr.write(f"The source cannot be read: {error.facts.get('cause', error.detail)}\n")
        return 2
    _write(report, as_json=options.json)
    return 0 if report.whole else 1


def _disclosure(body: bytes, trusted: Trusted, *, as_json: bool) -> int:
    """Verify one event's disclosure; where no key is given, by the keys in it, and say so."""
    report, own = verify_disclosure(body, trusted)
    _write(report, as_json=as_json)
    for key in own:
        sys.stderr.write(
            _printable(f"Believed on the file's own word: {key}")
            + "\nCompare it with the log's keys, or give them by --key.\n"
        )
    return 0 if report.whole else 1


def _write(report: Report, *, as_json: bool) -> None:
    sys.stdout.write(json.dumps({"whole": report.whole, **asdict(report)}, indent=1) + "\n" if as_json else _told(report))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m platforma.audit", description=__doc__)
    command = parser.add_subparsers(required=True).add_parser("verify", help="verify logs, offline")
    command.add_argument(
        "source", help="a folder with a copy of the audit bucket or with an export, a disclosed event's file, or s3://bucket"
    )
    command.add_argument("--key", action="append", default=[], help="a verifier key, <name>+<id>+<base64>; may be repeated")
    command.add_argument("--keys", action="append", default=[], type=Path, help="a file of them, or of /audit/{log_id}/keys")
    command.add_argument("--public-key", action="append", default=[], help="an Ed25519 public key, base64, for any log")
    command.add_argument("--checkpoint", action="append", default=[], type=Path, help="a checkpoint that you kept; a file")
    command.add_argument("--log", action="append", default=[], help="verify only this log; may be repeated")
    command.add_argument("--years", type=int, default=YEARS, help="calendar years that objects must be locked for")
    command.add_argument("--json", action="store_true", help="report as JSON")
    return parser


def _named(keys: Sequence[str], files: Sequence[Path]) -> list[VerifierKey]:
    texts = list(keys)
    for file in files:
        text = file.read_text()
        texts += json.loads(text)["keys"] if text.lstrip().startswith("{") else text.split()
    return [parse_key(text) for text in texts]


def _raw(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raw = b""
    if len(raw) != 32:
        raise ValueError("A public key is 32 bytes in base64.")
    return raw


def _source(text: str) -> Source:
    if text.startswith(_S3):
        # Named, not imported: this command is an edge of its own, and runs where there is no boto3.
        adapter = importlib.import_module("platforma.adapters.s3_source")
        source: Source = adapter.S3Source(text.removeprefix(_S3).rstrip("/"))
        return source
    if not Path(text).is_dir():
        raise ValueError(f"There is no folder {text}.")
    return Folder(Path(text))


def _told(report: Report) -> str:
    lines = [line for log in report.logs for line in _told_of(log)]
    lines += [f"WRONG {fault.where}: {fault.what}" for fault in report.faults]
    lines.append("All is whole." if report.whole else "The log is NOT whole.")
    return "".join(_printable(line) + "\n" for line in lines)


def _told_of(log: LogReport) -> list[str]:
    head = f"{log.log_id}: {log.entries} entries from {log.oldest or '-'} to {log.newest or '-'}, "
    return [
        f"{head}{log.covered} under {log.checkpoints} signed checkpoints, {log.tiles} tiles",
        *(f"  silent from {since} to {until}" for since, until in log.silences),
        *(f"  WRONG {fault.where}: {fault.what}" for fault in log.faults),
    ]


def _printable(text: str) -> str:
    """*text* without what would move a terminal: names come from the store that is verified."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


if __name__ == "__main__":
    sys.exit(main())
