"""The API about itself: its operations, its OpenAPI document, the format of its keys."""

from functools import cache

from platforma import bootstrap
from platforma.edge.answer import Answer
from platforma.edge.api import API
from platforma.edge.call import Call
from platforma.edge.openapi import openapi, operations

api = API("platform_catalogue", bootstrap.edge)
_CACHED = {"Cache-Control": "public, max-age=300"}
_document = cache(openapi)  # anyone may ask for it, and it costs a tenth of a second to make


@api.serves("catalogue.operations.list")
def list_operations(_call: Call) -> Answer:
    return Answer(200, {"items": operations(), "next_cursor": None}, _CACHED)


@api.serves("catalogue.openapi.get")
def get_openapi(_call: Call) -> Answer:
    return Answer(200, _document(bootstrap.issuer()), _CACHED)


@api.serves("catalogue.api_key_format.get")
def get_api_key_format(_call: Call) -> Answer:
    return Answer(200, bootstrap.apikeys.key_format(), _CACHED)


handler = api.handler
