"""What this API says of itself."""

from platforma.edge.endpoints.row import Endpoint, row

ENDPOINTS: tuple[Endpoint, ...] = (
    row(
        "GET",
        "/v1/operations",
        "catalogue.operations.list",
        "platform_catalogue",
        "public",
        "Every operation, its permission",
    ),
    row("GET", "/openapi.json", "catalogue.openapi.get", "platform_catalogue", "public", "This API, as OpenAPI 3.1"),
)
