"""Bodies and queries held to their schemas; what does not fit is refused with a JSON pointer for each fault."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from platforma.edge.call import Call
from platforma.kernel.errors import FieldError, Malformed, Unprocessable
from platforma.kernel.strict_json import parse_json
from platforma.oauth.form import parse_form, single_values

_MAX_ERRORS = 20

Model = TypeVar("Model", bound=BaseModel)


@cache
def schema(name: str) -> type[BaseModel]:
    """The model that the endpoint table calls `module.Model`."""
    module, _, model = name.partition(".")
    found: type[BaseModel] = getattr(import_module(f"platforma.edge.schemas.{module}"), model)
    return found


def read_body(call: Call) -> BaseModel | None:
    """
    The body as its model; None where the endpoint takes none.

    Raises:
        UnsupportedMediaType: not `application/json`.
        Malformed: not JSON, or JSON that a second parser could read otherwise.
        Unprocessable: JSON that does not fit the schema.
    """
    if call.endpoint.body is None:
        return None
    if not call.raw:
        if call.endpoint.may_be_empty:
            return schema(call.endpoint.body)()
        raise Malformed("A JSON body is required.")
    call.media_type("application/json")
    return held_to(schema(call.endpoint.body), parse_json(call.raw))


def read_query(call: Call) -> BaseModel | None:
    """
    The query parameters as their model, a `cursor` replaced by the position that it stands for.

    Raises:
        Unprocessable: unknown, repeated or invalid parameters, or a foreign cursor.
    """
    if call.endpoint.query is None or call.endpoint.wire == "scim":  # which ignores what it does not know
        return None
    flat: dict[str, Any] = {}
    for name, values in call.query.items():
        if len(values) != 1:
            raise Unprocessable("A parameter was repeated.", errors=[FieldError(f"/{name}", "Give it once.")])
        flat[name] = values[0]
    if isinstance(limit := flat.get("limit"), str) and limit.isascii() and limit.isdigit():
        flat["limit"] = int(limit[:6])
    parameters = held_to(schema(call.endpoint.query), flat)
    if (cursor := getattr(parameters, "cursor", None)) is not None:
        position = call.cursors().open(call.attempt.tenant_id, call.question(), cursor)
        parameters = parameters.model_copy(update={"cursor": position})
    return parameters


def read_document(call: Call) -> Mapping[str, Any]:
    """
    The JSON object that the body is, its members not looked at.

    Raises:
        UnsupportedMediaType: not `application/json`.
        Malformed: not one JSON object, or one that a second parser could read otherwise.
    """
    call.media_type("application/json")
    document = parse_json(call.raw)
    if not isinstance(document, dict):
        raise Malformed("The body must be a JSON object.")
    return document


def read_form(call: Call) -> Mapping[str, str]:
    """
    The fields of an `application/x-www-form-urlencoded` body, each at most once (RFC 6749 section 3.2).

    Raises:
        UnsupportedMediaType: another type.
        InvalidRequest: not such a form, or a repeated field.
    """
    call.media_type("application/x-www-form-urlencoded")
    return parse_form(call.raw)


def read_parameters(call: Call) -> Mapping[str, str]:
    """
    The parameters of an OAuth request's query, each at most once (RFC 6749 section 3.1).

    Raises:
        InvalidRequest: a repeated parameter.
    """
    return single_values(call.query)


def held_to(model: type[Model], document: Any) -> Model:
    """
    *document* as its *model*.

    Raises:
        Unprocessable: it does not fit, with a pointer for each fault.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        faults = [
            FieldError(
                _pointer(fault["loc"], document, missing=fault["type"] == "missing"), _said(fault["type"], fault["msg"])
            )
            for fault in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise Unprocessable("The request does not fit its schema.", errors=_deepest(faults)[:_MAX_ERRORS]) from None


def _pointer(path: tuple[int | str, ...], document: Any, *, missing: bool) -> str:
    """The place in *document* itself: what pydantic puts between to tell the members of a union apart is left out."""
    pointer, here = "", document
    for place, part in enumerate(path, 1):
        if part in here if isinstance(here, Mapping) else isinstance(here, list) and isinstance(part, int):
            here = here[part]
        elif not (missing and place == len(path)):
            continue
        pointer += "/" + str(part).replace("~", "~0").replace("/", "~1")
    return pointer


def _deepest(faults: list[FieldError]) -> list[FieldError]:
    """What is wrong inside a value tells more than that the value is of no other form either."""
    places = [fault["pointer"] for fault in faults]
    return [fault for fault in faults if not any(place.startswith(fault["pointer"] + "/") for place in places)]


def _said(fault: str, message: str) -> str:
    if fault in ("model_type", "model_attributes_type", "dict_type"):
        return "Input should be an object"
    return message.removeprefix("Value error, ").partition(" after validation,")[0]
