"""A form as OAuth's endpoints read it."""

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qsl

from platforma.oauth.errors import InvalidRequest

MAX_PARAMETERS = 64
MANY = frozenset({"resource", "audience"})
"""What may be sent more than once (RFC 8707 section 2, RFC 8693 section 2.1). A token is for one: several are none."""


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
    sent: dict[str, list[str]] = {}
    for name, value in pairs:
        sent.setdefault(name, []).append(value)
    return single_values(sent)


def single_values(query: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """
    The parameters of a *query*; those without a value are as if not sent (RFC 6749 section 3.1).

    Raises:
        InvalidRequest: a parameter is repeated, or there are too many.
    """
    if len(query) > MAX_PARAMETERS or any(len(values) != 1 for name, values in query.items() if name not in MANY):
        raise InvalidRequest("A parameter is repeated.")
    told = {name: one_of(values) if name in MANY else values[0] for name, values in query.items()}
    return {name: value for name, value in told.items() if value}


def one_of(values: Iterable[str]) -> str:
    """The value that was sent, once or several times; of several all of them, which together are the name of nothing."""
    return " ".join(dict.fromkeys(value for value in values if value))
