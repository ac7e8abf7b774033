"""A Lambda proxy event (REST, payload 1.0) read into a `Call`; nothing in it is believed yet."""

import base64
import binascii
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from platforma.edge.cursors import Cursors
from platforma.edge.endpoints import Endpoint
from platforma.kernel.errors import Forbidden, Malformed, NotFound, PreconditionRequired, TooLarge, UnsupportedMediaType
from platforma.kernel.events import Attempt, Event
from platforma.oauth.errors import InsufficientUserAuthentication

if TYPE_CHECKING:
    from platforma.edge.authentication import Caller

_CLIENT_REQUEST_ID = re.compile(r"\A[\x21-\x7e]{1,128}\Z")
_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"\A{_TAG}(?:[ \t]*,[ \t]*{_TAG})*\Z")
_OUR_TAG = re.compile(r'(?<!W/)"v([1-9][0-9]{0,15})"')
_NO_VERSION = -1


@dataclass(slots=True)
class Call:
    """
    One request on its way through the edge. *caller* is set by authentication, *body* after its schema was held to.

    *certificate* is the client's, if mutual TLS was used. *dpop_nonce* is what its next proof must carry. *client_id* is
    the client that the request names or proves to come from, even if it is refused. *factor_missing* says that a second
    factor would give the caller the permission that is lacking. *began* is when it was read, by `time.monotonic`.
    """

    endpoint: Endpoint
    request_id: str
    headers: Mapping[str, str]
    path: Mapping[str, str]
    query: Mapping[str, list[str]]
    raw: bytes
    attempt: Attempt
    cursors: Callable[[], Cursors]
    _caller: "Caller | None" = None
    body: Any = None
    parameters: Any = None
    permitted: bool = False
    factor_missing: bool = False
    certificate: bytes | None = None
    unproven: bool = False
    url_path: str = ""
    dpop_nonce: str | None = None
    client_id: str | None = None
    began: float = 0.0
    method: str = ""

    @property
    def caller(self) -> "Caller":
        """Who calls; only endpoints that authenticate may ask."""
        if self._caller is None:
            raise RuntimeError("This endpoint has no authenticated caller.")
        return self._caller

    def identify(self, caller: "Caller") -> None:
        """Note who calls, here and in the attempt, so that its event belongs to the caller's tenant."""
        self._caller = caller
        attempt = self.attempt
        attempt.tenant_id, attempt.principal_type = caller.tenant_id, caller.principal_type
        attempt.principal_id, attempt.user_id = caller.principal_id, caller.user_id

    def identify_client(self, tenant_id: str, client_id: str, *, proven: bool = True) -> None:
        """
        As `identify`, where a client authenticated to the endpoint itself.

        A client that is only named is not *proven*: its requests enter the tenant's log only if they show a code or token
        of its own.
        """
        self.unproven = not proven
        self.attempt.tenant_id, self.attempt.principal_type, self.attempt.principal_id = tenant_id, "oauth_client", client_id

    def identify_directory(self, tenant_id: str, connection_id: str) -> None:
        """As `identify`, where a connection's directory showed a token of its own."""
        self.attempt.tenant_id, self.attempt.principal_type, self.attempt.principal_id = (
            tenant_id,
            "directory",
            connection_id,
        )

    def note_decision(self, record: Mapping[str, Any]) -> None:
        """Let the event tell of this decision, and of the resource that it was about."""
        self.attempt.decision = record
        if (resource := record["resource"]) is not None:
            self.attempt.resource, self.attempt.resource_type = resource["id"], resource["type"]

    def note_resource(self, kind: str, identity: str) -> None:
        """Let the event tell what it was about."""
        self.attempt.resource, self.attempt.resource_type = identity, kind

    def enter_decisions(self, records: Iterable[Mapping[str, Any]], enter: Callable[[Event], None]) -> None:
        """Enter an event for each of several decisions, as the parts of this request."""
        for part, record in enumerate(records, 1):
            self.note_decision(record)
            enter(self.attempt.event("success", part=part))

    @property
    def authenticated(self) -> bool:
        """Whether a genuine credential stands behind this call."""
        return self._caller is not None

    @property
    def now(self) -> datetime:
        """The time of this call, by the edge's clock."""
        return self.attempt.clock()

    @property
    def tenant_id(self) -> str:
        """The caller's tenant: the only one that this call can see."""
        return self.caller.tenant_id

    def given(self) -> dict[str, Any]:
        """The fields of the body that were sent, nested ones as plain values."""
        sent: dict[str, Any] = self.body.model_dump(exclude_unset=True)
        return sent

    def page(self) -> dict[str, Any]:
        """`limit` and `after`, as the areas' lists take them."""
        return {"limit": self.parameters.limit, "after": self.parameters.cursor}

    def next_cursor(self, after: str | None) -> str | None:
        """The cursor for the position *after*, bound to this caller's tenant and this query."""
        return self.cursors().seal(self.attempt.tenant_id, self.question(), after)

    def cursor_into(self, operation: str, path: Mapping[str, str], after: str) -> str | None:
        """The like for another operation of this caller's, asked for nothing but *path*."""
        return self.cursors().seal(self.attempt.tenant_id, _question(operation, path, {}), after)

    def question(self) -> str:
        """What a cursor is bound to: the operation and every parameter but cursor and limit."""
        rest = {name: values for name, values in self.query.items() if name not in ("cursor", "limit")}
        return _question(self.endpoint.operation, self.path, rest)

    def only_own(self) -> str | None:
        """The id to whose things a list is limited; None for a caller who may see all of the tenant's."""
        return None if self.permitted else self.caller.acting_id

    def require_own(self, *owners: str | None) -> None:
        """
        Require that one of *owners* is the caller, unless the caller may see all of the tenant's.

        Raises:
            NotFound: it is somebody else's, which is as if it did not exist.
            InsufficientUserAuthentication: a second factor would give the caller the permission.
        """
        if not self.permitted and self.caller.acting_id not in owners:
            raise InsufficientUserAuthentication if self.factor_missing else NotFound

    def require_own_change(self, owner: str | None) -> None:
        """
        Require that the caller may change what is *owner*'s: by the permission, or, if it is theirs, by their sign-in.

        Raises:
            NotFound: it is somebody else's.
            Forbidden: it is theirs, but a key or another's client calls for them.
        """
        self.require_own(owner)
        if not self.permitted and not self.caller.signed_in:
            raise Forbidden(f"It takes {self.endpoint.permission}, or a sign-in through the tenant's own client.")

    def require_oneself(self) -> str:
        """
        The user whom the path names, who must be the one who calls: signed in, or by a credential that covers it.

        Raises:
            Forbidden: another user, a caller who is none, or one whose credential does not reach so far.
        """
        user_id = self.path["id"]
        if self.caller.user_id != user_id:
            raise Forbidden("Only the user may.")
        self.require_own_change(user_id)
        return user_id

    @property
    def if_match(self) -> int | None:
        """
        The version that a change is meant for; None where `*` allows any.

        A tag that is weak, or not one of ours, matches no version. Of several tags the latest version counts: versions only
        grow, so no earlier one can be current.

        Raises:
            PreconditionRequired: no `If-Match`.
            Malformed: neither `*` nor entity tags (RFC 9110 section 13.1.1).
        """
        value = self.headers.get("if-match")
        if value is None:
            raise PreconditionRequired
        if value.strip() == "*":
            return None
        if not _TAGS.match(value.strip()):
            raise Malformed("If-Match takes `*` or the ETag of the version that the change is meant for.")
        return max(map(int, _OUR_TAG.findall(value)), default=_NO_VERSION)

    @property
    def if_match_given(self) -> int | None:
        """As `if_match`, where a change may do without: None then too."""
        return self.if_match if "if-match" in self.headers else None

    def media_type(self, *accepted: str) -> None:
        """
        Require a body's media type.

        Raises:
            UnsupportedMediaType: another, or another charset than UTF-8.
        """
        name, *parameters = [part.strip().lower() for part in self.headers.get("content-type", "").split(";")]
        charsets = [part[8:].strip('"') for part in parameters if part.startswith("charset=")]
        if name not in accepted or charsets not in ([], ["utf-8"]):
            raise UnsupportedMediaType(f"The body must be {' or '.join(accepted)}.")


def _single(event: Mapping[str, Any], name: str) -> dict[str, list[str]]:
    many = event.get(f"multiValue{name[0].upper()}{name[1:]}") or {}
    one = event.get(name) or {}
    return {**{key: [value] for key, value in one.items()}, **many}


def headers_of(event: Mapping[str, Any]) -> dict[str, str]:
    """
    Header names in lower case; a repeated header is its values joined by `, ` (RFC 9110 section 5.3), in whatever case its
    name was sent.
    """
    sent = event.get("multiValueHeaders") or {name: [value] for name, value in (event.get("headers") or {}).items()}
    headers: dict[str, list[str]] = {}
    for name, values in sent.items():
        headers.setdefault(name.lower(), []).extend(str(value) for value in values)
    return {name: ", ".join(values) for name, values in headers.items()}


def body_of(event: Mapping[str, Any], limit: int) -> bytes:
    """
    The bytes of the body.

    Raises:
        TooLarge: more than *limit*.
        Malformed: it cannot be decoded.
    """
    text = event.get("body") or ""
    if len(text) > 2 * limit:
        raise TooLarge(f"A body holds at most {limit} bytes.")
    try:
        raw = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raise Malformed("The body could not be decoded.") from None
    if len(raw) > limit:
        raise TooLarge(f"A body holds at most {limit} bytes.")
    return raw


def path_of(event: Mapping[str, Any], endpoint: Endpoint) -> dict[str, str]:
    """
    What stands for the variables of the endpoint's path, decoded: a REST API hands it over percent-encoded, as it was sent.

    Raises:
        Malformed: what is encoded is no UTF-8.
        NotFound: a slash is encoded where one segment stands.
    """
    try:
        found = {name: unquote(text, errors="strict") for name, text in (event.get("pathParameters") or {}).items()}
    except UnicodeDecodeError:
        raise Malformed("The path could not be decoded.") from None
    if any("/" in text and f"{{{name}+}}" not in endpoint.path for name, text in found.items()):
        raise NotFound
    return found


def read_call(event: Mapping[str, Any], endpoint: Endpoint, attempt: Attempt, cursors: Callable[[], Cursors]) -> Call:
    """
    The call that *event* asks for; its body is read once it is known who calls, so that its faults are told of.

    Raises:
        Malformed, NotFound: of `path_of`.
    """
    return Call(
        endpoint=endpoint,
        request_id=attempt.request_id,
        headers=headers_of(event),
        path=path_of(event, endpoint),
        query=_single(event, "queryStringParameters"),
        raw=b"",
        attempt=attempt,
        cursors=cursors,
        url_path=str(event.get("path") or ""),
        began=time.monotonic(),
        method=str(event.get("httpMethod")),
    )


def request_id_of(context: Mapping[str, Any]) -> str:
    """
    The gateway's own id of a request.

    A REST API takes its `requestId` from whoever sends `x-amzn-RequestId`, so that many requests may have one; the extended
    one nobody can choose. HTTP APIs and the emulator have one id.
    """
    return str(context.get("extendedRequestId") or context.get("requestId") or "")


def client_request_id(headers: Mapping[str, str]) -> str | None:
    """A caller's own `X-Request-Id`, if it is one that a log may hold."""
    value = headers.get("x-request-id", "")
    return value if _CLIENT_REQUEST_ID.match(value) else None


def printable(text: str | None, limit: int) -> str | None:
    """*text* without control characters and not longer than *limit*, as a log may hold it."""
    if text is None:
        return None
    return "".join(character if character.isprintable() else "�" for character in text[:limit])


def _question(operation: str, path: Mapping[str, str], rest: Mapping[str, Any]) -> str:
    return repr((operation, sorted(path.items()), sorted(rest.items())))
