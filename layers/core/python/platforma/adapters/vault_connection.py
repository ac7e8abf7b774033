"""
A connection to Vault that logs in by itself, and bears it when Vault is slow, sealed or fails over.

hvac is imported at the first call: a function that never calls does not pay for it.
"""

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from platforma.adapters.client_certificate import ClientCertificate
from platforma.kernel.clock import Clock
from platforma.kernel.errors import Unavailable

if TYPE_CHECKING:
    from platforma.adapters.vault_session import Session

_REST = timedelta(seconds=1)
_NO_KEY = ("key not found", "no existing key", "could not delete key; not found")


class VaultConnection:
    """
    Vault, asked by one role of its cert auth. Every question may be asked twice.

    Of each method, *missing* is raised where there is no such key, and *refused* where Vault refuses for any other reason;
    without them that is `Unavailable`, as is a Vault that is sealed, gone, or does not let us.
    """

    def __init__(self, addr: str, role: str, certificate: Callable[[], ClientCertificate], clock: Clock) -> None:
        self._addr = addr
        self._role = role
        self._certificate = certificate
        self._clock = clock
        self._session: Session | None = None
        self._good: tuple[datetime, datetime] | None = None
        self._resting: tuple[datetime, datetime] | None = None

    def get(self, path: str, *, refused: Exception | None = None, missing: Exception | None = None) -> dict[str, Any]:
        """What stands at *path*."""
        return self._ask(lambda session: session.get(path), refused, missing)

    def list(self, path: str, *, refused: Exception | None = None) -> dict[str, Any]:
        """The names under *path*, as `keys`."""
        return self._ask(lambda session: session.list(path), refused)

    def post(
        self,
        path: str,
        data: Mapping[str, Any],
        *,
        refused: Exception | None = None,
        missing: Exception | None = None,
    ) -> dict[str, Any]:
        """Write *data* to *path*; what Vault answers under `data`."""
        return self._ask(lambda session: session.post(path, data), refused, missing)

    def delete(self, path: str, *, missing: Exception | None = None) -> dict[str, Any]:
        """Remove what stands at *path*."""
        return self._ask(lambda session: session.delete(path), missing=missing)

    def _ask(
        self, ask: Callable[["Session"], dict[str, Any]], refused: Exception | None = None, missing: Exception | None = None
    ) -> dict[str, Any]:
        """
        Ask, logging in before if need be; a refused token or a lost connection gets one fresh login and a second try.

        Where Vault was out of reach nothing is asked for about a second: who calls in that time does not wait, and instances
        come back to Vault one by one.
        """
        from platforma.adapters.vault_session import ConnectionLost, Refused, TokenRefused  # noqa: PLC0415  imports hvac

        if self._resting is not None and self._resting[0] <= self._clock() < self._resting[1]:
            raise Unavailable(cause="it failed just now")
        for _ in range(2):
            try:
                return ask(self._logged_in())
            except (ConnectionLost, TokenRefused) as error:
                self._forget()
                cause = type(error).__name__
            except Refused as error:
                failure = missing if any(said in text for text in error.errors for said in _NO_KEY) else refused
                raise failure or Unavailable(cause="Refused", status=error.status) from None
            except Unavailable:
                self._rest()
                raise
        if cause != "TokenRefused":  # a token that lacks a permission lacks it on one path; other calls are answered
            self._rest()
        raise Unavailable(cause=cause)

    def _rest(self) -> None:
        now = self._clock()
        self._resting = (now, now + _REST * random.uniform(0.5, 1.5))  # noqa: S311  jitter, not a secret

    def _logged_in(self) -> "Session":
        """The session, while four fifths of its token's life last."""
        from platforma.adapters import vault_session  # noqa: PLC0415  imports hvac

        now = self._clock()
        if self._session is None or self._good is None or not self._good[0] <= now < self._good[1]:
            self._forget()
            self._session = vault_session.login(self._addr, self._role, self._certificate())
            self._good = (now, now + timedelta(seconds=self._session.lifetime * 0.8))
        return self._session

    def _forget(self) -> None:
        if self._session is not None:
            self._session.client.adapter.close()
        self._session = None
