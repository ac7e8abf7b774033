"""The public keys of a secret scanner, from the one URL that the deployment names; nothing of a request reaches it."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

from platforma.kernel.clock import Clock
from platforma.kernel.errors import PlatformaError, Unavailable

KEPT = timedelta(hours=1)
KEPT_WITHOUT_SOURCE = timedelta(hours=24)
ASKED_EVERY = timedelta(minutes=1)
"""The least time between two questions, whatever identifiers strangers make up."""


class FetchedScannerKeys:
    """`ScannerKeys` as GitHub publishes its own: `{"public_keys": [{"key_identifier", "key"}]}`."""

    def __init__(self, url: str, get: Callable[[str], bytes], clock: Clock) -> None:
        self._url, self._get, self._clock = url, get, clock
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
        try:
            listed = json.loads(self._get(self._url))["public_keys"]
            return {str(each["key_identifier"]): str(each["key"]) for each in listed}
        except (PlatformaError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(cause=type(error).__name__) from error
