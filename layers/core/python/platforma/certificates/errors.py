"""What goes wrong between us and a certificate authority."""

from datetime import datetime

from platforma.kernel.errors import Conflict, PlatformaError, Unavailable


class Refused(Conflict):
    """A CA would not: *detail* is what it said. Where *lasting*, asking again would be answered the same."""

    code = "certificate_refused"

    def __init__(self, detail: str, *, lasting: bool = False) -> None:
        super().__init__(detail)
        self.lasting = lasting


class OrderLost(Conflict):
    """A CA does not know the order any more, or has ended it."""

    code = "order_lost"


class TryLater(Unavailable):
    """A CA asks for patience (a rate limit, RFC 8555 section 6.6), *until* then where it says when."""

    code = "try_later"

    def __init__(self, detail: str, *, until: datetime | None = None) -> None:
        super().__init__(detail)
        self.until = until


__all__ = ["OrderLost", "PlatformaError", "Refused", "TryLater"]
