"""SCIM 2.0 (RFC 7644): what a connection's directory calls, and the tokens that it calls with."""

from platforma.edge.endpoints.row import Endpoint, row

BASE = "/scim/v2"
_TOKENS = "/v1/sso-connections/{id}/scim-tokens"
MEDIA_TYPE = "application/scim+json"


def _scim(method: str, path: str, operation: str, summary: str, **more: object) -> Endpoint:
    """A row of the directory's own: by its token, in the RFC's form."""
    given = {"wire": "scim", "produces": MEDIA_TYPE, "refuses": (401, 429), **more}
    return row(method, BASE + path, operation, "sso_scim", "client", summary, **given)


def _resource(noun: str, what: str) -> tuple[Endpoint, ...]:
    path, name = f"/{noun.capitalize()}", f"scim.{noun}"
    document = {"consumes": "document"}
    return (
        _scim("POST", path, f"{name}.create", f"Create a {what}", status=201, refuses=(401, 409, 429), **document),
        _scim("GET", path, f"{name}.list", f"List {noun}", query="scim.ListQuery"),
        _scim("POST", f"{path}/.search", f"{name}.search", f"List {noun}, asked for by a body", **document),
        _scim("GET", f"{path}/{{id}}", f"{name}.get", f"Read a {what}", query="scim.ShownQuery", also=(304,)),
        _scim("PUT", f"{path}/{{id}}", f"{name}.replace", f"Replace a {what}", refuses=(401, 409, 412, 429), **document),
        _scim(
            *("PATCH", f"{path}/{{id}}", f"{name}.update", f"Change a {what}"),
            refuses=(401, 409, 412, 429),
            also=(204,),
            **document,
        ),
        _scim("DELETE", f"{path}/{{id}}", f"{name}.delete", f"Delete a {what}", status=204, refuses=(401, 412, 429)),
    )


def _told(path: str, operation: str, summary: str) -> Endpoint:
    return _scim("GET", path, operation, summary, refuses=(401, 403, 429))


def _refused(path: str, noun: str, summary: str, status: int) -> tuple[Endpoint, ...]:
    """What answers each method by this status alone, as the RFC has errors (section 3.12)."""
    return tuple(
        _scim(method, path, f"scim.{noun}.{method.lower()}", f"Refused: {summary}", status=status)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    row(
        *("POST", _TOKENS, "settings.scim_tokens.create", "sso_scim", "permission"),
        "Give a connection's directory a token for SCIM",
        resource="sso_connection",
        body="scim.TokenCreate",
        may_be_empty=True,
        answer="scim.TokenCreated",
        secret=True,
        status=201,
    ),
    row(
        *("GET", _TOKENS, "settings.scim_tokens.list", "sso_scim", "permission"),
        "List the tokens of a connection's directory",
        resource="sso_connection",
        answer="scim.TokenList",
    ),
    row(
        *("DELETE", f"{_TOKENS}/{{token_id}}", "settings.scim_tokens.delete", "sso_scim", "permission"),
        "Revoke a token of a connection's directory",
        resource="sso_connection",
        status=204,
    ),
    *_resource("users", "user"),
    *_resource("groups", "group"),
    _scim("POST", "/.search", "scim.resources.search", "List users and groups, asked for by a body", consumes="document"),
    _scim("POST", "/Bulk", "scim.bulk.run", "Do many operations at once", consumes="document"),
    *_refused("/Me", "me", "a directory's token stands for no user", 501),
    _told("/ServiceProviderConfig", "scim.provider.get", "What of SCIM is supported"),
    _told("/ResourceTypes", "scim.resource_types.list", "List the types of resources"),
    _told("/ResourceTypes/{name}", "scim.resource_types.get", "Read a type of resource"),
    _told("/Schemas", "scim.schemas.list", "List the schemas"),
    _told("/Schemas/{name}", "scim.schemas.get", "Read a schema"),
    *_refused("/{path+}", "unknown", "there is no such endpoint", 404),
)
