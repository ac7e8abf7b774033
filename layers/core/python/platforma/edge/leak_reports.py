"""Reports of leaked keys, as a secret scanner sends them: signed over their raw bytes."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from platforma.apikeys.leaks import Label, Leak
from platforma.edge.bodies import held_to
from platforma.edge.call import Call
from platforma.edge.schemas.apikeys import LeakReports
from platforma.kernel.strict_json import parse_json


def answer_report(call: Call, *, verify: Callable[..., None], report: Callable[..., list[Label]]) -> list[dict[str, Any]]:
    """
    What the scanner is told of each text that it found, after what is to be done was done.

    Raises:
        Unauthenticated: the scanner did not sign this.
        Malformed: it is not JSON.
        Unprocessable: it is not what a scanner sends.
        Unavailable: not all of it could be done; the scanner may send it again.
    """
    headers = call.headers
    verify(call.raw, headers.get("github-public-key-identifier"), headers.get("github-public-key-signature"))
    found = held_to(LeakReports, parse_json(call.raw)).root
    labels = report([Leak(each.token, each.url, each.source) for each in found], attempt=call.attempt)
    return [
        {"token_hash": _hashed(each.token), "token_type": each.type, "label": label}
        for each, label in zip(found, labels, strict=True)
    ]


def _hashed(token: str) -> str:
    return sha256(token.encode(errors="surrogatepass")).hexdigest()
