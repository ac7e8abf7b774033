"""
`python -m platforma.audit verify <folder, file or s3://bucket>`: verify logs, an export or a disclosed event, offline, with
nothing but public keys. `python -m platforma.audit witness <url> <log id>`: cosign a log's newest checkpoint if it grew.

Exit status: 0 all is whole (cosigned), 1 something is wrong (refused), 2 the command is, or the log does not answer. For a
bucket boto3 is needed, for all else nothing of AWS.
"""

import argparse
import base64
import binascii
import importlib
import json
import os
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platforma.audit.cosignature import WitnessKey, parse_witness_key
from platforma.audit.disclosure import verify_disclosure
from platforma.audit.errors import LogBroken
from platforma.audit.exports.check import is_export, own_keys, verify_export
from platforma.audit.note import VerifierKey, parse_key
from platforma.audit.retention import YEARS
from platforma.audit.sources import Folder
from platforma.audit.verification import Quorum
from platforma.audit.verify import LogReport, Report, Source, Trusted, verify
from platforma.audit.watching import look
from platforma.kernel.errors import Unavailable

_S3 = "s3://"
_LONGEST_ANSWER = 1 << 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status."""
    options = _parser().parse_args(arguments)
    return _witness(options) if options.command == "witness" else _verify(options)


def _verify(options: argparse.Namespace) -> int:
    try:
        named, raw = tuple(_named(options.key, options.keys)), tuple(_raw(key) for key in options.public_key)
        witnesses = tuple(map(parse_witness_key, options.witness_key))
        seen = tuple(file.read_bytes() for file in options.checkpoint)
        trusted = Trusted(named, raw, seen, witnesses, _quorum(options))
        disclosed = Path(options.source).read_bytes() if Path(options.source).is_file() else None
        source = _source(options.source) if disclosed is None else None
        if trusted.quorum is not None and (source is None or is_export(source)):
            raise ValueError("Cosignatures lie in the bucket: --witness verifies that or a copy of it.")
    except (OSError, ValueError, ImportError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except Unavailable as error:
        return _unread(error)
    if source is None:
        return _disclosure(disclosed or b"", trusted, as_json=options.json)
    own: tuple[VerifierKey, ...] = ()
    try:
        if not trusted.named and not trusted.raw:
            if not (own := own_keys(source)):
                sys.stderr.write("Say whom to believe: --key, --keys or --public-key.\n")
                return 2
            trusted = replace(trusted, raw=tuple(key.public for key in own))
        report = (
            verify_export(source, trusted)
            if is_export(source)
            else verify(source, trusted, years=options.years, only=options.log)
        )
    except Unavailable as error:
        return _unread(error)
    _write(report, as_json=options.json)
    _say_own(own)
    return 0 if report.whole else 1


def _quorum(options: argparse.Namespace) -> Quorum | None:
    """Whose cosignatures are asked for, and how many."""
    witnesses = tuple(dict.fromkeys(map(parse_witness_key, options.witness)))
    if not witnesses and options.quorum is None:
        return None
    needed = len(witnesses) if options.quorum is None else options.quorum
    if not 1 <= needed <= len(witnesses) or options.witnessed_within < 0:
        raise ValueError(f"A quorum is 1 to {len(witnesses)} of the witnesses that --witness names.")
    return Quorum(witnesses, needed, timedelta(minutes=options.witnessed_within))


def _unread(error: Unavailable) -> int:
    sys.stderr.write(_printable(f"The source cannot be read: {error.facts.get('cause', error.detail)}") + "\n")
    return 2


def _witness(options: argparse.Namespace) -> int:
    """Look at the log once; print the cosignature, or why there is none."""
    try:
        if not options.private_key.exists():
            _make_key(options.private_key)
        key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(options.private_key.read_text().strip(), validate=True))
        token = options.token_file.read_text().strip()
        get = partial(_got, options.url.rstrip("/"), token, ssl.create_default_context(cafile=options.ca_file))
        keys = _named(options.key, options.keys)
        reply = look(options.log, get=get, keys=keys, name=options.name, key=key, folder=options.folder)
    except (OSError, ValueError) as error:
        sys.stderr.write(_printable(str(error)) + "\n")
        return 2
    except LogBroken as error:
        sys.stderr.write(error.detail + "\n")
        return 1
    sys.stderr.write(f"Witness: {WitnessKey(options.name, key.public_key().public_bytes_raw())}\n")
    if reply.status != 200:
        sys.stderr.write(f"REFUSED ({reply.status}): the log is not what it was, or not signed by its keys.\n")
        return 1
    sys.stdout.write(reply.body)
    return 0


def _make_key(file: Path) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode() + "\n")


def _got(url: str, token: str, trusted: ssl.SSLContext, path: str) -> bytes:
    if not url.startswith("https://"):
        raise ValueError("A log is asked over https alone.")
    asked = urllib.request.Request(url + path, headers={"Authorization": f"Bearer {token}"})  # noqa: S310  https, as seen
    try:
        with urllib.request.urlopen(asked, timeout=30, context=trusted) as answer:  # noqa: S310  # nosec B310
            return bytes(answer.read(_LONGEST_ANSWER))
    except urllib.error.HTTPError as error:
        if error.code in (404, 422):
            raise LogBroken("The log does not have what the witness saw, or no proof that it grew.") from None
        raise


def _disclosure(body: bytes, trusted: Trusted, *, as_json: bool) -> int:
    """Verify one event's disclosure; where no key is given, by the keys in it."""
    report, own = verify_disclosure(body, trusted)
    _write(report, as_json=as_json)
    _say_own(own)
    return 0 if report.whole else 1


def _say_own(keys: Sequence[VerifierKey]) -> None:
    """Say which keys were believed because nobody gave any."""
    for key in keys:
        sys.stderr.write(
            _printable(f"Believed on the file's own word: {key}")
            + "\nCompare it with the log's keys, or give them by --key.\n"
        )


def _write(report: Report, *, as_json: bool) -> None:
    sys.stdout.write(json.dumps({"whole": report.whole, **asdict(report)}, indent=1) + "\n" if as_json else _told(report))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m platforma.audit", description=__doc__)
    commands = parser.add_subparsers(required=True, dest="command")
    _say_witness(commands.add_parser("witness", help="cosign a log's newest checkpoint, if it only grew"))
    command = commands.add_parser("verify", help="verify logs, offline")
    command.add_argument(
        "source", help="a folder with a copy of the audit bucket or with an export, a disclosed event's file, or s3://bucket"
    )
    command.add_argument("--key", action="append", default=[], help="a verifier key, <name>+<id>+<base64>; may be repeated")
    command.add_argument("--keys", action="append", default=[], type=Path, help="a file of them, or of /audit/{log_id}/keys")
    command.add_argument("--public-key", action="append", default=[], help="an Ed25519 public key, base64, for any log")
    command.add_argument("--checkpoint", action="append", default=[], type=Path, help="a checkpoint that you kept; a file")
    command.add_argument("--witness-key", action="append", default=[], help="who must have cosigned those; may be repeated")
    command.add_argument(
        "--witness", action="append", default=[], help="whose cosignature the newest checkpoint must have; may be repeated"
    )
    command.add_argument("--quorum", type=int, help="how many of these witnesses must have cosigned it; all, if not said")
    command.add_argument(
        "--witnessed-within",
        type=int,
        default=10,
        help="minutes that the one they cosigned may be older; 0: it is the newest",
    )
    command.add_argument("--log", action="append", default=[], help="verify only this log; may be repeated")
    command.add_argument("--years", type=int, default=YEARS, help="calendar years that objects must be locked for")
    command.add_argument("--json", action="store_true", help="report as JSON")
    return parser


def _say_witness(command: argparse.ArgumentParser) -> None:
    command.add_argument("url", help="where the log's API is, https://...")
    command.add_argument("log", help="the log's id")
    command.add_argument("--token-file", type=Path, required=True, help="an access token or API key with audit:read")
    command.add_argument("--key", action="append", default=[], help="the log's verifier key; may be repeated")
    command.add_argument("--keys", action="append", default=[], type=Path, help="a file of them, as for verify")
    command.add_argument("--name", required=True, help="the witness's name, such as witness.example/audit")
    command.add_argument("--private-key", type=Path, required=True, help="its key's file, made if there is none")
    command.add_argument("--folder", type=Path, required=True, help="what was seen, and the cosignatures: keep it")
    command.add_argument("--ca-file", help="trusted roots, if not the machine's")


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
        *([f"  {log.witnessed} cosigned by the witnesses asked for"] if log.witnessed is not None else []),
        *(f"  silent from {since} to {until}" for since, until in log.silences),
        *(f"  without a checkpoint from {since} to {until} at least" for since, until in log.uncovered),
        *(f"  WRONG {fault.where}: {fault.what}" for fault in log.faults),
    ]


def _printable(text: str) -> str:
    """*text* without what would move a terminal: names come from the store that is verified."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


if __name__ == "__main__":
    sys.exit(main())
