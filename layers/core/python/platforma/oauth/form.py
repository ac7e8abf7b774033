"""A form as OAuth's endpoints read it."""

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from platforma.oauth.errors import InvalidRequest

MAX_PARAMETERS = 64


def parse_form(body: bytes) -> dict[str, str]:
    """
    The parameters of an `application/x-www-form-urlencoded` *body*; those without a value are as if not sent.

    Source: RFC 6749 section 3.2 and appendix B.

    Raises:
        InvalidRequest: not such a body, not UTF-8, or a parameter is repeated.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:
        raise InvalidRequest("The form could not be read.") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise InvalidRequest("A parameter is repeated.")
    return {name: value for name, value in form.items() if value}


def single_values(query: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """
    The parameters of a *query*; those without a value are as if not sent (RFC 6749 section 3.1).

    Raises:
        InvalidRequest: a parameter is repeated, or there are too many.
    """
    if len(query) > MAX_PARAMETERS or any(len(values) != 1 for values in query.values()):
        raise InvalidRequest("A parameter is repeated.")
    return {name: values[0] for name, values in query.items() if values[0]}
