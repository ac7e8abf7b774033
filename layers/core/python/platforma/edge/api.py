"""
The one path every request of ours takes: parse, authenticate, decide, check the body, do it, record it, answer.

A function names the operations it serves. Their methods, paths, permissions and bodies are in the endpoint table. Nothing
is answered before its event is in the outbox, and no answer is a stack trace.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import unquote

from aws_lambda_powertools import Logger

from platforma.audit.errors import AnotherEvent
from platforma.edge.answer import Answer, echoed
from platforma.edge.authentication import Authenticator, with_token_of
from platforma.edge.authorization import decide_call, second_factor_would_do
from platforma.edge.bodies import read_body, read_query
from platforma.edge.call import Call, body_of, client_request_id, headers_of, printable, read_call, request_id_of
from platforma.edge.client_certificate import presented_certificate
from platforma.edge.conditional import unless_known
from platforma.edge.cross_origin import RedirectURIs, preflight, readable
from platforma.edge.cursors import Cursors
from platforma.edge.dead_credentials import DeadCredentials
from platforma.edge.endpoints import BY_OPERATION, BY_PATH, ENDPOINTS, Endpoint
from platforma.edge.idempotency import Idempotency
from platforma.edge.methods import REFUSED, keeper, refusal, row_for
from platforma.edge.problems import TOLD, challenged, page_problem, problem, wants_page
from platforma.edge.proofs import Proofs
from platforma.edge.status import status_of
from platforma.kernel.clock import Clock, rfc3339
from platforma.kernel.errors import (
    Broken,
    Denied,
    Forbidden,
    PlatformaError,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from platforma.kernel.events import Attempt, Event, Result
from platforma.kernel.request import working_on
from platforma.oauth.errors import InsufficientUserAuthentication
from platforma.policy.snapshots import Snapshots

UseCase = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Edge:
    """What the edge needs of the world."""

    clock: Clock
    authenticator: Callable[[], Authenticator]
    snapshots: Callable[[], Snapshots]
    enter: Callable[[Event], None]
    cursors: Callable[[], Cursors]
    idempotency: Callable[[], Idempotency]
    proofs: Callable[[], Proofs]
    certificate_header: str
    issuer: str
    redirect_uris: RedirectURIs


class API:
    """The handler of one function. *edge* is asked at the first request, never at import."""

    def __init__(self, function: str, edge: Callable[[], Edge]) -> None:
        self._function, self._edge = function, edge
        self._use_cases: dict[str, UseCase] = {
            row.operation: preflight for row in ENDPOINTS if row.method == "OPTIONS" and row.function == function
        }
        self._dead = DeadCredentials()
        self._log = Logger(service=function, json_deserializer=str)  # messages are words, never JSON

    def serves(self, operation: str) -> Callable[[UseCase], UseCase]:
        """Mark the use case of *operation*, which must be this function's in the endpoint table."""
        if BY_OPERATION[operation].function != self._function:
            raise Broken("An operation is served by the function that the endpoint table names.", operation=operation)

        def marked(use_case: UseCase) -> UseCase:
            self._use_cases[operation] = use_case
            return use_case

        return marked

    def refuses(self, use_case: UseCase) -> UseCase:
        """Mark what answers this function's rows for paths that do not exist or are not supported."""
        for row in BY_OPERATION.values():
            if row.function == self._function and row.status in (404, 501):
                self._use_cases[row.operation] = use_case
        return use_case

    @property
    def operations(self) -> frozenset[str]:
        """The operations served here."""
        return frozenset(self._use_cases)

    def handler(self, event: Mapping[str, Any], _context: object) -> dict[str, Any]:
        """The Lambda entry for a REST proxy event (payload 1.0)."""
        started = time.perf_counter()
        edge = self._edge()
        method, resource = str(event.get("httpMethod")), str(event.get("resource"))
        endpoint = row_for(method, resource)
        attempt = _attempt(event, endpoint, edge)
        working_on(attempt.request_id)
        received_at = edge.clock()
        if endpoint is not None and endpoint.operation in self._use_cases:
            answer, call, error = self._answer(event, endpoint, attempt, edge)
        else:
            call, error = None, refusal(resource)
            answer = _refused(error, resource, headers_of(event), attempt.request_id)
        if method == "HEAD":
            answer = answer.without_content()
        level = self._log.error if answer.status >= 500 else self._log.info
        level(
            "request",
            request_id=attempt.request_id,
            operation=attempt.action,
            status=answer.status,
            record="audited" if attempt.entered else "anonymous",
            received_at=rfc3339(received_at),
            event_id=attempt.id if attempt.entered else None,
            tenant_id=attempt.tenant_id if attempt.entered or (call is not None and call.authenticated) else None,
            asked=None if attempt.entered else _asked(event, attempt),
            code=error.code if error else None,
            facts=dict(error.facts) if error else None,
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
        )
        return answer.as_proxy_result(attempt.request_id)

    def _answer(
        self, event: Mapping[str, Any], endpoint: Endpoint, attempt: Attempt, edge: Edge
    ) -> tuple[Answer, Call | None, PlatformaError | None]:
        call, error = None, None
        try:
            call = read_call(event, endpoint, attempt, edge.cursors)
            answer = unless_known(call, self._do(call, event, edge))
            attempt.resource = answer.resource or attempt.resource
        except PlatformaError as raised:
            error = raised
        except Exception:  # noqa: BLE001  whatever it is, the caller gets a problem and no trace
            self._log.exception("unexpected", request_id=attempt.request_id)
            error = Broken()
        try:
            if isinstance(error, Unauthenticated):
                self._dead.settle(attempt, error)
            # An attempt of nobody's, or of a client that is merely named, enters no tenant's log; the access log has it.
            unproven = attempt.principal_type == "anonymous" or (call is not None and call.unproven)
            if not unproven and not attempt.entered:
                self._record(attempt, error, edge)
        except PlatformaError as raised:
            # A dead credential is refused alike where its tenant's log, or the key to it, is gone as well.
            error = error if isinstance(error, Unauthenticated) else raised
        if error is not None:
            answer = _told(error, endpoint, headers_of(event), attempt.request_id)
            answer = challenged(answer, endpoint, edge.issuer)
        if call is not None and call.dpop_nonce is not None:
            answer = replace(answer, headers={"DPoP-Nonce": call.dpop_nonce, **answer.headers})
        if call is not None:
            answer = readable(answer, call, edge.redirect_uris)
        if endpoint.wire == "authzen":
            answer = echoed(answer, headers_of(event))
        return answer, call, error

    def _do(self, call: Call, event: Mapping[str, Any], edge: Edge) -> Answer:
        endpoint = call.endpoint
        call.certificate = presented_certificate(event, call.headers, header=edge.certificate_header)
        if endpoint.access not in ("public", "client"):
            prove = partial(edge.proofs().require, call)
            by, headers = edge.authenticator(), call.headers
            if endpoint.token_in_body:
                headers = with_token_of(headers, body_of(event, endpoint.max_body))
            call.identify(by.authenticate(headers, call.attempt, certificate=call.certificate, prove=prove))
            edge.authenticator().charge(call.caller)
            snapshot, now = edge.snapshots().of(call.caller.tenant_id), edge.clock()
            call.permitted = decide_call(call, snapshot, now).allowed
            if not call.permitted and endpoint.permission is not None:
                call.factor_missing = second_factor_would_do(call, snapshot, now)
            if not call.permitted and endpoint.access == "permission":
                if call.factor_missing:
                    raise InsufficientUserAuthentication
                raise Forbidden(f"You lack {endpoint.permission}, which {endpoint.operation} needs.")
        call.raw = body_of(event, endpoint.max_body)
        if endpoint.if_match:
            _ = call.if_match
        call.parameters = read_query(call)
        call.body = read_body(call)
        use_case = self._use_cases[endpoint.operation]
        if endpoint.creates:
            return edge.idempotency().answered(call, use_case)
        return use_case(call)

    def _record(self, attempt: Attempt, error: PlatformaError | None, edge: Edge) -> None:
        try:
            edge.enter(attempt.event(result_of(error), reason=error.code if error else None))
        except AnotherEvent:
            # The change was committed with its own event although its answer was lost: that event stands.
            attempt.entered = True


def _told(error: PlatformaError, endpoint: Endpoint, headers: Mapping[str, str], request_id: str) -> Answer:
    """*error* as the endpoint tells it; a person in a browser, whom a client sent to an OAuth endpoint, gets a page."""
    if endpoint.wire == "page":
        return page_problem(error, request_id, headers)
    told = TOLD[endpoint.wire](error, request_id)
    if endpoint.wire == "oauth" and endpoint.public and wants_page(headers):
        return replace(page_problem(error, request_id, headers), status=told.status)
    return told


def _refused(error: PlatformaError, path: str, headers: Mapping[str, str], request_id: str) -> Answer:
    """A method that *path* does not take, told as its other errors are; whose request it is is not looked at."""
    if path not in BY_PATH:
        return problem(error, request_id)
    row = keeper(path)
    told = _told(error, row, headers, request_id)
    return echoed(told, headers) if row.wire == "authzen" else told


def _attempt(event: Mapping[str, Any], endpoint: Endpoint | None, edge: Edge) -> Attempt:
    context = event.get("requestContext") or {}
    identity = context.get("identity") or {}
    headers = headers_of(event)
    path = event.get("pathParameters") or {}
    return Attempt(
        request_id=request_id_of(context),
        action=endpoint.operation if endpoint else REFUSED,
        clock=edge.clock,
        ip_address=identity.get("sourceIp"),
        user_agent=printable(identity.get("userAgent") or headers.get("user-agent"), 512),
        client_request_id=client_request_id(headers),
        resource=printable(unquote(path["id"]), 256) if "id" in path else None,
        resource_type=endpoint.resource if endpoint else None,
    )


def _asked(event: Mapping[str, Any], attempt: Attempt) -> dict[str, str | None]:
    """The facts of a request by a stranger, which enters no log from here: the event is made from this log line."""
    return {
        "method": printable(str(event.get("httpMethod")), 16),
        "path": printable(str(event.get("path")), 1024),
        "ip_address": attempt.ip_address,
        "user_agent": attempt.user_agent,
    }


def result_of(error: PlatformaError | None) -> Result:
    """How an event tells of a request that ended in *error*, or in none."""
    if error is None:
        return "success"
    if isinstance(error, (Denied, RateLimited)):
        return "denied"
    return "error" if isinstance(error, Unavailable) or status_of(error)[0] >= 500 else "failure"
