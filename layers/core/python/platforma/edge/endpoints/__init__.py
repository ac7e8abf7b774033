"""
Every endpoint is one row here, in its area's file. Routing, both OpenAPI documents, `/v1/operations` and the isolation tests
are made from this one table: what is served stands nowhere else.
"""

from platforma.edge.endpoints import (
    apikeys,
    audit,
    catalogue,
    certificates,
    compliance,
    encryption,
    identity,
    oauth,
    objects,
    pages,
    policy,
    scim,
    sso,
)
from platforma.edge.endpoints.row import Access, Endpoint, Wire

ENDPOINTS: tuple[Endpoint, ...] = (
    *oauth.ENDPOINTS,
    *pages.ENDPOINTS,
    *apikeys.ENDPOINTS,
    *identity.ENDPOINTS,
    *policy.ENDPOINTS,
    *sso.ENDPOINTS,
    *scim.ENDPOINTS,
    *audit.ENDPOINTS,
    *compliance.ENDPOINTS,
    *encryption.ENDPOINTS,
    *objects.ENDPOINTS,
    *certificates.ENDPOINTS,
    *catalogue.ENDPOINTS,
)

BY_PATH: dict[str, tuple[Endpoint, ...]] = {}
for _row in ENDPOINTS:
    BY_PATH[_row.path] = (*BY_PATH.get(_row.path, ()), _row)
BY_ROUTE = {(row.method, row.path): row for row in ENDPOINTS}
BY_OPERATION = {row.operation: row for row in ENDPOINTS}

__all__ = ["BY_OPERATION", "BY_PATH", "BY_ROUTE", "ENDPOINTS", "Access", "Endpoint", "Wire"]
