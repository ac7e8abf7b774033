"""
DNS through the resolver of the machine, by dnspython.

An answer is as good as that resolver: on AWS the one of the VPC, which validates DNSSEC where it is told to. A name is asked
without the machine's search list, and over TCP where the answer is long.
"""

from collections.abc import Sequence
from typing import Any

from platforma.kernel.errors import Unavailable

LIFETIME_SECONDS = 4.0


class ResolverDNS:
    """`platforma.sso.ports.DNS`. *resolver* is dnspython's, and the machine's own where none is given."""

    def __init__(self, resolver: Any = None) -> None:
        self._resolver = resolver

    def texts(self, name: str) -> Sequence[str]:
        """The TXT records at *name*; a record that is not ASCII is left out."""
        import dns.exception  # noqa: PLC0415  in a layer that few functions carry
        import dns.resolver  # noqa: PLC0415

        try:
            if self._resolver is None:
                self._resolver = dns.resolver.Resolver()
            answer = self._resolver.resolve(f"{name}.", "TXT", lifetime=LIFETIME_SECONDS, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise Unavailable("DNS gave no answer.", cause=type(error).__name__) from error
        joined = [b"".join(record.strings) for record in answer]
        return [text.decode("ascii") for text in joined if text.isascii()]
