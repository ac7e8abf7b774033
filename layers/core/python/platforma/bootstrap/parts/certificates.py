"""What server certificates' use cases and their worker are given."""

from functools import cache, partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from platforma.bootstrap import environment
from platforma.bootstrap.parts import ground

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platforma.adapters.acme import ACME
    from platforma.adapters.dynamodb.certificates import DynamoDBCertificates
    from platforma.adapters.route53 import Route53
    from platforma.certificates.ports import Installer


@cache
def records() -> "DynamoDBCertificates":
    """Server certificates on record."""
    from platforma.adapters.dynamodb.certificates import DynamoDBCertificates

    return ground.bound(DynamoDBCertificates(ground.tables(), ground.outbox()))


@cache
def authority() -> "ACME":
    """Where server certificates come from."""
    from platforma.adapters.acme import ACME

    settings, account = environment.settings(), partial(ground.vault().read_secret, "acme")
    return ACME(settings.acme_directory, account, ca_file=settings.acme_ca_file, clock=environment.clock)


@cache
def zones() -> "Route53":
    """Who keeps the zones of our names."""
    from platforma.adapters.route53 import Route53

    return Route53(environment.settings().dns_zones)


@cache
def installers() -> "Sequence[Installer]":
    """Where server certificates are shown: ACM, and the local edge where there is one."""
    from pathlib import Path

    from platforma.adapters.acm import ACM
    from platforma.adapters.caddy import Caddy

    settings = environment.settings()
    if not settings.edge_admin_socket:
        return (ACM(),)
    host = str(urlsplit(environment.issuer()).hostname)
    return (ACM(), Caddy(host, Path(settings.edge_certificates), Path(settings.edge_admin_socket)))
