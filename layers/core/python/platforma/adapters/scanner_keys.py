"""The public keys of a secret scanner, from the one URL that the deployment names."""

import json
from datetime import datetime, timedelta
from email.message import Message
from typing import IO
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from platforma.kernel.clock import Clock
from platforma.kernel.errors import Broken, Unavailable

KEPT = timedelta(hours=1)
KEPT_WITHOUT_SOURCE = timedelta(hours=24)
ASKED_EVERY = timedelta(minutes=1)
"""The least time between two questions, whatever identifiers strangers make up."""
_LARGEST = 1 << 18
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class HTTPScannerKeys:
    """`ScannerKeys` over HTTPS. Nothing that a request says reaches the address that is asked."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url, self._clock = url, clock
        self._keys: dict[str, str] = {}
        self._read_at: datetime | None = None
        self._asked_at: datetime | None = None

    def find(self, identifier: str) -> str | None:
        """See `ScannerKeys.find`."""
        now = self._clock()
        fresh = self._read_at is not None and now - self._read_at < KEPT
        rests = self._asked_at is not None and now - self._asked_at < ASKED_EVERY
        if not rests and (not fresh or identifier not in self._keys):
            self._asked_at = now
            try:
                self._keys, self._read_at = self._fetched(), now
            except Unavailable:
                if identifier not in self._keys:
                    raise
        if self._read_at is None or now - self._read_at >= KEPT_WITHOUT_SOURCE:
            raise Unavailable(cause="scanner_keys")
        return self._keys.get(identifier)

    def _fetched(self) -> dict[str, str]:
        parts = urlsplit(self._url)
        if parts.scheme != "https" and (parts.scheme, parts.hostname in _LOOPBACK) != ("http", True):
            raise Broken("The scanner's keys are read over https.")
        try:
            request = Request(self._url, headers={"Accept": "application/json"})  # noqa: S310  its scheme was looked at
            with _opener().open(request, timeout=5) as answer:
                raw = answer.read(_LARGEST + 1)
            if len(raw) > _LARGEST:
                raise Unavailable(cause="scanner_keys_too_large")
            listed = json.loads(raw)["public_keys"]
            return {str(each["key_identifier"]): str(each["key"]) for each in listed}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(cause=type(error).__name__) from error


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str) -> None:
        """None: the answer stands as the failure that it is."""


def _opener() -> OpenerDirector:
    return build_opener(_NoRedirects)
