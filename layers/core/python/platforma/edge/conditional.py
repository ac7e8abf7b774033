"""Conditions (RFC 9110 section 13.1): a PUT that creates needs none, one that changes does; a read may name what it has."""

from collections.abc import Callable
from typing import TypeVar

from platforma.edge.answer import Answer
from platforma.edge.call import Call
from platforma.kernel.errors import PreconditionFailed, PreconditionRequired

Made = TypeVar("Made")


def unless_known(call: Call, answer: Answer) -> Answer:
    """
    *answer*, or a 304 where the caller has it by its entity tag; tags are compared weakly (RFC 9110 section 13.1.2).

    Only where the endpoint table says 304: there all that is shown follows from the version.
    """
    tag, sent = answer.headers.get("ETag"), call.headers.get("if-none-match", "").strip()
    if 304 not in call.endpoint.also or answer.status != 200 or tag is None:
        return answer
    if sent != "*" and tag.removeprefix("W/") not in [each.strip().removeprefix("W/") for each in sent.split(",")]:
        return answer
    return Answer(304, None, {"ETag": tag}, resource=answer.resource)


def put(call: Call, write: Callable[[int | None], Made]) -> Made:
    """
    Do *write*, which is given the version that must stand: 0 for none yet, None for any.

    Raises:
        PreconditionRequired: it exists, and there is no `If-Match`.
        PreconditionFailed: another version stands, or with `If-None-Match: *` any does.
    """
    if "if-match" in call.headers:
        return write(call.if_match)
    try:
        return write(0)
    except PreconditionFailed:
        if call.headers.get("if-none-match", "").strip() == "*":
            raise
        raise PreconditionRequired from None
