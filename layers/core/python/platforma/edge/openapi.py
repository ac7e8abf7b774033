"""This API as an OpenAPI 3.1 document, made from the endpoint table and the schemas, so that it cannot drift from them."""

import re
from dataclasses import replace
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from platforma.edge.bodies import schema
from platforma.edge.endpoints import ENDPOINTS, Endpoint
from platforma.edge.schemas.common import Problem
from platforma.edge.status import STATUS

_REF = "#/components/schemas/{model}"
_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "public": [],
    "client": [{"client_basic": []}, {}],
}
_WORDS = (
    "Who are you, may you, what happened. HEAD is answered as GET is wherever GET reads; any other method that a path "
    "does not list is 405, and Allow names those that it takes."
)
_BYTES = {"type": "string", "format": "binary"}
_CALLER: list[dict[str, list[str]]] = [
    {"access_token": []},
    {"api_key": []},
    {"api_key_header": []},
    {"client_certificate": []},
]


def openapi(url: str) -> dict[str, Any]:
    """The document for the API served at *url*."""
    names = sorted({name for row in ENDPOINTS for name in (row.body, row.answer) if name})
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (schema(name), "serialization" if name in _answers() else "validation") for name in names
    ]
    references, definitions = models_json_schema([*models, (Problem, "serialization")], ref_template=_REF)
    by_name = {model.__name__: reference for (model, _), reference in references.items()}
    paths: dict[str, Any] = {}
    for row in ENDPOINTS:
        paths.setdefault(row.path.replace("+}", "}"), {})[row.method.lower()] = _operation(row, by_name)
    return {
        "openapi": "3.1.0",
        "info": {"title": "PLATFORMA Security", "version": "1.0.0", "description": _WORDS},
        "servers": [{"url": url}],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {
                "access_token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "api_key": {"type": "http", "scheme": "bearer", "bearerFormat": "pk_(live|test)_..."},
                "api_key_header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "client_certificate": {"type": "mutualTLS", "description": "A service's; at the internal URL."},
                "client_basic": {"type": "http", "scheme": "basic"},
                "scim_token": {"type": "http", "scheme": "bearer", "bearerFormat": "scim_..."},
            },
        },
    }


def operations() -> list[dict[str, str | None]]:
    """Every operation with its permission, as `/v1/operations` lists them."""
    return [
        {
            "operation": row.operation,
            "permission": row.permission,
            "method": row.method,
            "path": row.path,
            "access": row.access,
            "summary": row.summary,
        }
        for row in ENDPOINTS
    ]


def _answers() -> frozenset[str]:
    return frozenset(row.answer for row in ENDPOINTS if row.answer)


def _operation(row: Endpoint, models: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": row.operation,
        "summary": row.summary,
        "x-platforma-operation": row.operation,
        "x-platforma-permission": row.permission,
        "security": [{"scim_token": []}] if row.wire == "scim" else _SECURITY.get(row.access, _CALLER),
        "parameters": _parameters(row),
        "responses": _good(row, models) | _waiting(row) | _refusals(row, models),
    }
    if row.body is not None:
        reference = models[row.body.partition(".")[2]]
        content = {"application/json": {"schema": reference}}
        operation["requestBody"] = {"required": not row.may_be_empty, "content": content}
    elif row.consumes == "form":
        form = {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}
        operation["requestBody"] = {"required": True, "content": form}
    elif row.consumes == "document":
        types = ("application/scim+json", "application/json") if row.wire == "scim" else ("application/json",)
        operation["requestBody"] = {"required": True, "content": {each: {"schema": {"type": "object"}} for each in types}}
    elif row.consumes == "bytes":
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": {"schema": _BYTES}}}
    return operation


def _parameters(row: Endpoint) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)\+?}", row.path)
    ]
    if row.query is not None:
        document = schema(row.query).model_json_schema()
        parameters += [
            {"name": name, "in": "query", "required": False, "schema": shape}
            for name, shape in document["properties"].items()
        ]
    if row.creates:
        parameters.append(
            {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string", "maxLength": 255}}
        )
    if row.if_match:
        parameters.append(
            {"name": "If-Match", "in": "header", "required": True, "description": "ETag or *", "schema": {"type": "string"}}
        )
    return parameters


def _good(row: Endpoint, models: dict[str, Any]) -> dict[str, Any]:
    return {str(status): _response(replace(row, status=status), models) for status in (row.status, *row.also)}


def _response(row: Endpoint, models: dict[str, Any]) -> dict[str, Any]:
    if row.status in (204, 303, 304):
        said = {204: "Done.", 303: "Go on there.", 304: "It is what the caller has."}
        return {"description": said[row.status]}
    shape = models[row.answer.partition(".")[2]] if row.answer else {"type": "object"}
    if row.produces.startswith("text/"):
        shape = {"type": "string"}
    elif row.produces not in ("application/json", "application/scim+json"):
        shape = shape if row.answer else _BYTES
    others = {media_type: {"schema": {"type": "string"}} for media_type in row.or_else}
    return {"description": "The answer.", "content": {row.produces: {"schema": shape}, **others}}


def _waiting(row: Endpoint) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}}}
    return {"202": {"description": "Not yet; see Retry-After.", "content": content}} if row.may_wait else {}


def _refusal(row: Endpoint, models: dict[str, Any]) -> dict[str, Any]:
    shown = {"text/html; charset=utf-8": {"schema": {"type": "string"}}}
    if row.wire == "page":
        return shown
    if row.wire == "problem":
        return {"application/problem+json": {"schema": models["Problem"]}}
    media_type = "application/scim+json" if row.wire == "scim" else "application/json"
    content = {media_type: {"schema": {"type": "object"}}}
    # A person's browser that a client sent here is shown a page.
    return content | shown if row.wire == "oauth" and row.public else content


def _refusals(row: Endpoint, models: dict[str, Any]) -> dict[str, Any]:
    statuses = {400, 404, 503, *row.refuses}
    if row.access not in ("public", "client"):
        statuses |= {401, 403}
    if row.access == "client" or (row.public and row.consumes == "bytes"):  # signed bytes: the signature is the credential
        statuses |= {401}
    if row.body is not None or row.consumes != "json":
        statuses |= {413, 415}
    if row.body is not None:
        statuses |= {409, 422}
    if row.creates:
        statuses |= {409, 422}
    if row.query is not None:
        statuses |= {422}
    if row.if_match:
        statuses |= {409, 412, 428}
    statuses -= {409, 415, 422} if row.wire == "authzen" else set()
    statuses -= {422} if row.wire == "scim" else set()
    titles, content = dict(STATUS.values()), _refusal(row, models)
    return {str(status): {"description": titles.get(status, "Refused."), "content": content} for status in sorted(statuses)}
