"""Where factors are kept: one record a person, sealed."""

from typing import Protocol

from platforma.identity.factors.model import Factors
from platforma.kernel.events import Event


class FactorStore(Protocol):
    """Every person's factors. Each method may raise `Unavailable`."""

    def read(self, tenant_id: str, user_id: str) -> Factors:
        """The person's, read consistently; of version 0, and empty, where there are none."""

    def put(self, before: Factors, after: Factors, event: Event | None) -> None:
        """
        Put *after* in the place of *before*, with the event that tells of it; a mere use has none of its own.

        Raises:
            PreconditionFailed: it is not *before* any more, or the person is gone.
        """
