"""What this service provider can do, and what its resources are (RFC 7644 section 4; RFC 7643 sections 5, 6 and 7)."""

from typing import Any

from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    Context,
    ETag,
    Filter,
    Pagination,
    Patch,
    ResourceType,
    SchemaExtension,
    ServiceProviderConfig,
    Sort,
)

from platforma.kernel.errors import NotFound
from platforma.sso.scim.query import DEFAULT_COUNT, LIST_RESPONSE, MAX_COUNT
from platforma.sso.scim.schema import ENTERPRISE, GROUP, USER, schema_documents
from platforma.sso.scim.showing import BASE

MAX_BULK_OPERATIONS, MAX_BULK_BYTES = 100, 1 << 20


def service_provider_config(*, issuer: str) -> dict[str, Any]:
    """What of RFC 7644 is supported."""
    bearer = AuthenticationScheme(
        type=AuthenticationScheme.Type.oauthbearertoken,
        name="Bearer token",
        description="A token that was made for one connection, sent as `Authorization: Bearer`.",
        spec_uri="https://www.rfc-editor.org/rfc/rfc6750",
        primary=True,
    )
    config = ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=True, max_operations=MAX_BULK_OPERATIONS, max_payload_size=MAX_BULK_BYTES),
        filter=Filter(supported=True, max_results=MAX_COUNT),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=True),
        etag=ETag(supported=True),
        pagination=Pagination(
            cursor=True,
            index=True,
            default_pagination_method=Pagination.DefaultPaginationMethod.index,
            default_page_size=DEFAULT_COUNT,
            max_page_size=MAX_COUNT,
        ),
        authentication_schemes=[bearer],
    )
    shown: dict[str, Any] = config.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    location = f"{issuer}{BASE}/ServiceProviderConfig"
    return {**shown, "meta": {"resourceType": "ServiceProviderConfig", "location": location}}


def resource_types(*, issuer: str) -> dict[str, Any]:
    """Every type of resource, as a list."""
    user = ResourceType(
        id="User",
        name="User",
        description="A person",
        endpoint="/Users",
        schema_=USER,
        schema_extensions=[SchemaExtension(schema_=ENTERPRISE, required=False)],
    )
    group = ResourceType(id="Group", name="Group", description="A group of people", endpoint="/Groups", schema_=GROUP)
    return _listed([_dated(each, "ResourceType", f"{issuer}{BASE}/ResourceTypes/{each.id}") for each in (user, group)])


def resource_type(name: str, *, issuer: str) -> dict[str, Any]:
    """
    One type of resource.

    Raises:
        NotFound: there is none of this name.
    """
    return _one(resource_types(issuer=issuer), name)


def schemas(*, issuer: str) -> dict[str, Any]:
    """Every schema, as a list."""
    return _listed(
        [
            {**document, "meta": {"resourceType": "Schema", "location": f"{issuer}{BASE}/Schemas/{uri}"}}
            for uri, document in schema_documents().items()
        ]
    )


def schema(uri: str, *, issuer: str) -> dict[str, Any]:
    """
    One schema.

    Raises:
        NotFound: there is none of this URI.
    """
    return _one(schemas(issuer=issuer), uri)


def _dated(resource: ResourceType, kind: str, location: str) -> dict[str, Any]:
    shown: dict[str, Any] = resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    return {**shown, "meta": {"resourceType": kind, "location": location}}


def _one(listed: dict[str, Any], name: str) -> dict[str, Any]:
    for each in listed["Resources"]:
        if each["id"].lower() == name.lower():
            found: dict[str, Any] = each
            return found
    raise NotFound


def _listed(resources: list[dict[str, Any]]) -> dict[str, Any]:
    total = len(resources)
    page = {"totalResults": total, "startIndex": 1, "itemsPerPage": total}
    return {"schemas": [LIST_RESPONSE], **page, "Resources": resources}
