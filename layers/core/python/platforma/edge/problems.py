"""
An error as each wire tells it.

`/v1` speaks RFC 9457 problem details, `/oauth2` RFC 6749 section 5.2 and, to who shows a token, RFC 6750 section 3,
`/access/v1` AuthZEN, `/scim/v2` RFC 7644 section 3.12.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

from platforma.edge.answer import Answer
from platforma.edge.endpoints import Endpoint, Wire
from platforma.edge.idempotency import AlreadyCreated
from platforma.edge.status import status_of
from platforma.kernel import errors
from platforma.oauth.errors import InsufficientScope, InsufficientUserAuthentication, InvalidToken, OAuthError, UseDPoPNonce
from platforma.policy.errors import NewAccess

_TYPE = "https://platforma.dev/problems/"


def problem(error: errors.PlatformaError, request_id: str) -> Answer:
    """*error* as problem details."""
    status, title = status_of(error)
    body: dict[str, Any] = {
        "type": _TYPE + error.code,
        "title": title,
        "status": status,
        "detail": error.public if status >= 500 and status != 503 else error.detail,
        "code": error.code,
        "request_id": request_id,
    }
    if isinstance(error, AlreadyCreated):
        body["id"] = error.resource_id
    if isinstance(error, NewAccess):
        body["witness"] = error.witness
    if isinstance(error, errors.Invalid) and error.errors:
        body["errors"] = list(error.errors)
    return Answer(status, body, _headers(error), media_type="application/problem+json")


def oauth_problem(error: errors.PlatformaError, request_id: str) -> Answer:
    """*error* as RFC 6749 section 5.2 has it."""
    if isinstance(error, OAuthError):
        headers = {name: text for name, text in _headers(error).items() if error.status == 401 or name != "WWW-Authenticate"}
        return Answer(error.status, {"error": error.code, "error_description": error.detail}, headers)
    status, _ = status_of(error)
    if isinstance(error, errors.Unavailable):
        code = "temporarily_unavailable"
    elif isinstance(error, errors.Unauthenticated):
        code = "invalid_token" if isinstance(error, InvalidToken) else "invalid_client"
    else:
        code = "server_error" if status >= 500 else "invalid_request"
        status = status if status >= 500 or status == 405 else 400
    detail = error.public if code == "server_error" else error.detail
    return Answer(status, {"error": code, "error_description": f"{detail} ({request_id})"}, _headers(error))


def bearer_problem(error: errors.PlatformaError, request_id: str) -> Answer:
    """*error* as a protected resource beside the OAuth endpoints tells it (RFC 6750 section 3, RFC 9449 section 7.1)."""
    if not isinstance(error, (errors.Unauthenticated, InsufficientScope)):
        return oauth_problem(error, request_id)
    code = error.code if isinstance(error, (OAuthError, InvalidToken)) else InvalidToken.code
    return Answer(status_of(error)[0], {"error": code, "error_description": error.detail}, _headers(error))


def authzen_error(error: errors.PlatformaError) -> dict[str, Any]:
    """*error* as AuthZEN tells it, of one evaluation or of all: whatever is wrong with a body is a 400 (section 10.1.2)."""
    status, _ = status_of(error)
    status = 400 if status in (415, 422) else status
    told: dict[str, Any] = {"status": status, "message": error.public if status == 500 else error.detail}
    if isinstance(error, errors.Invalid) and error.errors:
        told["errors"] = list(error.errors)
    return told


def authzen_problem(error: errors.PlatformaError, _request_id: str) -> Answer:
    """*error* as AuthZEN tells it."""
    told = authzen_error(error)
    return Answer(told["status"], {"error": told}, _headers(error))


def scim_problem(error: errors.PlatformaError, _request_id: str) -> Answer:
    """*error* as RFC 7644 section 3.12 tells it; a value that is not valid is a 400 there."""
    status, _ = status_of(error)
    scim_type = getattr(error, "scim_type", None)
    if status == 422:
        status, scim_type = 400, scim_type or "invalidValue"
    elif scim_type is None and status == 409:
        scim_type = "uniqueness"
    told = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": str(status)}
    if scim_type is not None:
        told["scimType"] = scim_type
    told["detail"] = error.public if status == 500 else _scim_detail(error)
    return Answer(status, told, _headers(error), media_type="application/scim+json")


def _scim_detail(error: errors.PlatformaError) -> str:
    faults = error.errors if isinstance(error, errors.Invalid) else ()
    return f"{faults[0]['pointer'].strip('/')}: {faults[0]['detail']}" if faults else error.detail


def page_problem(error: errors.PlatformaError, request_id: str, headers: Mapping[str, str]) -> Answer:
    """*error* as a page in the language that *headers* ask for; what renders it is loaded only by who has pages."""
    told: Answer = import_module("platforma.edge.pages.render").error_page(
        error, request_id, headers.get("accept-language", "")
    )
    return told


def wants_page(headers: Mapping[str, str]) -> bool:
    """Whether a browser asks for a page to show: `text/html` by name, as they do when they go somewhere."""
    return "text/html" in headers.get("accept", "").lower()


def challenged(answer: Answer, endpoint: Endpoint, issuer: str) -> Answer:
    """*answer* with its challenge, if it has one, telling where the resource describes itself (RFC 9728 section 5.1)."""
    challenge = answer.headers.get("WWW-Authenticate")
    if challenge is None or endpoint.wire not in ("problem", "bearer", "authzen"):
        return answer
    where = f'{challenge}, resource_metadata="{issuer}/.well-known/oauth-protected-resource"'
    return replace(answer, headers={**answer.headers, "WWW-Authenticate": where})


def _headers(error: errors.PlatformaError) -> dict[str, str]:
    if isinstance(error, (errors.RateLimited, errors.Unavailable)):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, (InsufficientScope, InsufficientUserAuthentication)):
        return {"WWW-Authenticate": error.challenge}
    if isinstance(error, errors.Unauthenticated):
        nonce = {"DPoP-Nonce": error.nonce} if isinstance(error, UseDPoPNonce) else {}
        return {"WWW-Authenticate": getattr(error, "challenge", 'Bearer realm="platforma"'), **nonce}
    if isinstance(error, errors.NotAllowed):
        return {"Allow": error.allow}
    if isinstance(error, errors.RangeNotSatisfiable):
        return {"Content-Range": f"bytes */{error.size}"}
    return {}


TOLD: Mapping[Wire, Callable[[errors.PlatformaError, str], Answer]] = {
    "problem": problem,
    "oauth": oauth_problem,
    "bearer": bearer_problem,
    "authzen": authzen_problem,
    "scim": scim_problem,
}
"""How an endpoint's errors are told, by the `wire` of its row; those of pages are `page_problem`'s."""
