"""
The authorizer that other APIs' gateways call: the same authentication and the same decision as our own routes.

REST `TOKEN` and `REQUEST` events and HTTP API payload 2.0 (simple form). An unauthenticated call is answered as each kind of
gateway wants its 401; everything else that stands in the way is a plain denial. Answers must not be cached by the gateway
(`AuthorizerResultTtlInSeconds: 0`): an allowed answer holds for the one method and path that was asked about.

Which protected API is meant: the one that the stage variable `platforma_audience` names, else those whose audience has the
gateway's own host. A token must carry that API's audience; where the gateway names none, the token's audience says which. A
key carries none: where the gateway names none either, every API of the tenant with a route for this request must allow it.

Whose API it is: the one tenant's that the stage variable `platforma_tenant` names. WARNING: without it callers of every
tenant may pass, each by what its own tenant has registered; only an API that looks at the context's `tenant_id` may do so.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aws_lambda_powertools import Logger

from platforma.edge.api import Edge, result_of
from platforma.edge.authentication import Caller
from platforma.edge.authorization import recorded
from platforma.edge.call import client_request_id, headers_of, printable, request_id_of
from platforma.edge.client_certificate import MAX_CERTIFICATE
from platforma.edge.dead_credentials import DeadCredentials
from platforma.edge.resources import may_be_known
from platforma.kernel.errors import Denied, Forbidden, Invalid, PlatformaError, Unauthenticated
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.kernel.request import working_on
from platforma.policy.decide import decide
from platforma.policy.model import Context, Decision, Request
from platforma.policy.ports import ResourceStore
from platforma.policy.protected_api import Asked, ProtectedAPI, asked
from platforma.policy.snapshots import Snapshot

_METHOD_ARN = re.compile(r"\Aarn:[^:]+:execute-api:[^:]*:[^:]*:[^/]+/[^/]*/([A-Z]+)(/.*|)\Z", re.DOTALL)
_UNMATCHED = "gateway.requests.unmatched"


@dataclass(frozen=True, slots=True)
class GatewayRequest:
    """
    What a gateway asks about. *simple* is the HTTP API's form; a TOKEN event has neither address nor other headers.

    *query* has the parameters that were sent once: of one sent twice, gateway and backend may read another value.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    ip_address: str | None
    user_agent: str | None
    request_id: str
    host: str | None
    audience: str | None
    tenant_id: str | None
    arn: str
    simple: bool
    certificate: bytes | None = None


def read_event(event: Mapping[str, Any]) -> GatewayRequest:
    """
    The request that *event* is about, whichever of the three forms it has.

    Raises:
        Denied: it has none of them.
    """
    context = event.get("requestContext") or {}
    headers = headers_of(event)
    variables = event.get("stageVariables") or {}
    query = _sent_once(event)
    if event.get("version") == "2.0":
        http = context.get("http") or {}
        return GatewayRequest(
            method=str(http.get("method")),
            path=_without_stage(str(event.get("rawPath")), str(context.get("stage", "$default"))),
            headers=headers,
            query=query,
            ip_address=http.get("sourceIp"),
            user_agent=http.get("userAgent"),
            request_id=request_id_of(context),
            host=context.get("domainName"),
            audience=variables.get("platforma_audience"),
            tenant_id=variables.get("platforma_tenant"),
            arn=str(event.get("routeArn")),
            simple=True,
            certificate=_certificate(context.get("authentication") or {}),
        )
    arn = str(event.get("methodArn"))
    if not (match := _METHOD_ARN.match(arn)):
        raise Denied("Not an authorizer event.")
    if event.get("type") == "TOKEN":
        headers = {"authorization": str(event.get("authorizationToken", ""))}
    identity = context.get("identity") or {}
    return GatewayRequest(
        method=str(event.get("httpMethod") or match[1]),
        path=str(event.get("path") or match[2] or "/"),
        headers=headers,
        query=query,
        ip_address=identity.get("sourceIp"),
        user_agent=identity.get("userAgent"),
        request_id=request_id_of(context),
        host=context.get("domainName") or headers.get("host"),
        audience=variables.get("platforma_audience"),
        tenant_id=variables.get("platforma_tenant"),
        arn=arn,
        simple=False,
        certificate=_certificate(identity),
    )


class GatewayAuthorizer:
    """The authorizer function's handler. *resources* tells what is known of the resources that routes act on."""

    def __init__(self, function: str, edge: Callable[[], Edge], resources: Callable[[], ResourceStore]) -> None:
        self._edge, self._resources = edge, resources
        self._dead = DeadCredentials()
        self._log = Logger(service=function, json_deserializer=str)  # messages are words, never JSON

    def handler(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """
        The gateway's answer.

        Raises:
            Exception: `Unauthorized`, the REST gateway's word for a 401.
        """
        edge = self._edge()
        attempt = Attempt(request_id="", action=_UNMATCHED, clock=edge.clock, source="gateway")
        try:
            request = read_event(event)
            attempt.request_id = request.request_id or str(getattr(context, "aws_request_id", ""))
            working_on(attempt.request_id)
            attempt.ip_address, attempt.user_agent = request.ip_address, printable(request.user_agent, 512)
            attempt.client_request_id = client_request_id(request.headers)
            answer = self._answer(request, attempt, edge)
        except Unauthenticated as error:
            self._dead.settle(attempt, error)
            self._record(attempt, error, edge)
            record = "audited" if attempt.entered else "anonymous"
            self._log.info("authorizer", request_id=attempt.request_id, allowed=False, code=error.code, record=record)
            if event.get("version") == "2.0":
                return {"isAuthorized": False}
            raise Exception("Unauthorized") from None  # noqa: TRY002  the gateway knows this text alone
        except PlatformaError as error:
            self._record(attempt, error, edge)
            self._log.warning(
                "authorizer",
                request_id=attempt.request_id,
                allowed=False,
                code=error.code,
                facts=dict(error.facts),
                record="audited" if attempt.entered else "anonymous",
            )
            return _answer(event.get("version") == "2.0", str(event.get("methodArn", "")), "anonymous", {}, allowed=False)
        record = "audited" if attempt.entered else "anonymous"
        self._log.info("authorizer", request_id=attempt.request_id, operation=attempt.action, record=record)
        return answer

    def _answer(self, request: GatewayRequest, attempt: Attempt, edge: Edge) -> dict[str, Any]:
        def is_registered(tenant_id: str, audience: str) -> bool:
            return edge.snapshots().of(tenant_id).api(audience) is not None

        prove = partial(
            edge.proofs().require_elsewhere,
            headers=request.headers,
            method=request.method,
            path=request.path,
            certificate=request.certificate,
        )
        caller = edge.authenticator().authenticate(request.headers, attempt, is_audience=is_registered, prove=prove)
        attempt.tenant_id, attempt.principal_type = caller.tenant_id, caller.principal_type
        attempt.principal_id, attempt.user_id = caller.principal_id, caller.user_id
        if request.tenant_id not in (None, caller.tenant_id):
            raise Forbidden("This is an API of another tenant.")
        edge.authenticator().charge(caller)
        snapshot = edge.snapshots().of(caller.tenant_id)
        decision = self._decide(request, caller, snapshot, attempt, edge)
        allowed = decision is not None and decision.allowed
        reason = None if allowed else (decision.kind if decision is not None else "no_such_route")
        edge.enter(attempt.event("success" if allowed else "denied", reason=reason))
        said = {
            "tenant_id": caller.tenant_id,
            "principal_id": caller.principal_id,
            "principal_type": caller.principal_type,
            "roles": " ".join(sorted((caller.subject.owner or caller.subject).roles)),
            "scopes": " ".join(caller.subject.scopes or ()),
            "decision_id": str((attempt.decision or {}).get("id", "")),
            "request_id": attempt.request_id,
        }
        return _answer(request.simple, request.arn, caller.principal_id, said, allowed=allowed)

    def _record(self, attempt: Attempt, error: PlatformaError, edge: Edge) -> None:
        """Tell of a known caller who is refused; where that cannot be recorded either, the refusal stands all the same."""
        if attempt.principal_type == "anonymous" or attempt.entered:
            return
        try:
            edge.enter(attempt.event(result_of(error), reason=error.code))
        except PlatformaError:
            self._log.exception("unrecorded", request_id=attempt.request_id)

    def _decide(
        self, request: GatewayRequest, caller: Caller, snapshot: Snapshot, attempt: Attempt, edge: Edge
    ) -> Decision | None:
        """The decision of the protected API that is meant; of several, the first that denies. None: no route is known."""
        found: Decision | None = None
        for api in _meant(request, caller, snapshot):
            if (about := _asked(api, request)) is None:
                continue
            found, record = self._decide_one(api, about, request, caller, snapshot, edge)
            attempt.action, attempt.decision = about.action, record
            attempt.resource, attempt.resource_type = about.resource_id, about.resource_type
            if not found.allowed:
                return found
        return found

    def _decide_one(
        self, api: ProtectedAPI, about: Asked, request: GatewayRequest, caller: Caller, snapshot: Snapshot, edge: Edge
    ) -> tuple[Decision, dict[str, Any]]:
        known = None
        # Its environment is the API's here: a read is worth it only where some statement goes by attributes.
        looked_at = snapshot.policy_set.looked_at
        if looked_at and about.resource_type and about.resource_id and may_be_known(about.resource_type, about.resource_id):
            known = self._resources().resource(caller.tenant_id, about.resource_type, about.resource_id)
        question = Request(
            action=about.action,
            resource_type=about.resource_type,
            resource_id=about.resource_id,
            # What is registered of a resource is known; what the request itself says of it never overrides that.
            resource_attributes={**about.resource_attributes, **(known.attributes if known else {})},
            context=Context(
                time=edge.clock(), ip_address=request.ip_address, mfa=caller.subject.mfa, environment=api.environment
            ),
        )
        decision = decide(snapshot.policy_set, caller.subject, question)._replace(decision_id=new_id("dec"))
        return decision, recorded(caller.subject, question, decision)


def _meant(request: GatewayRequest, caller: Caller, snapshot: Snapshot) -> list[ProtectedAPI]:
    apis = snapshot.policy_set.apis
    named = [request.audience] if request.audience is not None else _of_host(request, apis)
    if caller.audience is not None:
        # A token for one API, shown at the gateway of another, is for none.
        fits = caller.audience in apis and (not named or caller.audience in named)
        return [apis[caller.audience]] if fits else []
    return [apis[audience] for audience in named if audience in apis] if named else list(apis.values())


def _of_host(request: GatewayRequest, apis: Mapping[str, ProtectedAPI]) -> list[str]:
    return [audience for audience in apis if request.host and urlsplit(audience).netloc == request.host]


def _asked(api: ProtectedAPI, request: GatewayRequest) -> Asked | None:
    try:
        headers = {name: value for name, value in request.headers.items() if "," not in value}
        return asked(api, request.method, request.path, query=request.query, headers=headers)
    except Invalid:
        return None


def _answer(simple: bool, arn: str, principal: str, said: Mapping[str, str], *, allowed: bool) -> dict[str, Any]:
    if simple:
        return {"isAuthorized": allowed, "context": dict(said)}
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow" if allowed else "Deny", "Resource": arn}
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": dict(said),
    }


def _certificate(identity: Mapping[str, Any]) -> bytes | None:
    """The client certificate of a gateway that spoke mutual TLS, PEM."""
    text = str((identity.get("clientCert") or {}).get("clientCertPem") or "")
    return text.encode() if 0 < len(text) <= MAX_CERTIFICATE else None


def _sent_once(event: Mapping[str, Any]) -> dict[str, str]:
    """The query parameters that have one value."""
    sent = event.get("multiValueQueryStringParameters") or parse_qs(
        str(event.get("rawQueryString") or ""), keep_blank_values=True
    )
    if not sent:
        return {str(name): str(value) for name, value in (event.get("queryStringParameters") or {}).items()}
    return {str(name): str(values[0]) for name, values in sent.items() if len(values) == 1}


def _without_stage(path: str, stage: str) -> str:
    prefix = f"/{stage}/"
    return path[len(prefix) - 1 :] if stage != "$default" and path.startswith(prefix) else path
