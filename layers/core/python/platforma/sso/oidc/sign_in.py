"""
Sign-in by an OpenID provider: authorization code with PKCE, bound to this browser, from our request to what it says.

Sources: OpenID Connect Core sections 3.1 and 5.3, RFC 7636, RFC 9207, RFC 9700 section 2.1; RFC 7523 for `private_key_jwt`.
"""

import base64
import hashlib
import hmac
import secrets as entropy
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

import jwt

from platforma.kernel.clock import Clock
from platforma.kernel.errors import AlreadyUsed, Malformed
from platforma.kernel.strict_json import parse_json
from platforma.keys.jwk import to_jwk
from platforma.oauth.client_keys import ClientKeys
from platforma.oauth.errors import Unfetched
from platforma.oauth.ports import SingleUse
from platforma.sso.errors import AnswerRejected
from platforma.sso.flow import LIFETIME, Flow
from platforma.sso.key_pair import KeyPair
from platforma.sso.key_pairs import current_pairs
from platforma.sso.model import Connection
from platforma.sso.oidc.id_token import Expected, auth_time_of, verify_id_token
from platforma.sso.oidc.logout import LONGEST_HINT
from platforma.sso.oidc.provider import Provider, Providers
from platforma.sso.ports import Calls, ProviderKeys, ProviderSecrets
from platforma.sso.profile import USUAL
from platforma.sso.sign_in import Said

_SCOPES = ("openid", "profile", "email")
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def callback_of(connection: Connection, url: str) -> str:
    """The redirect URI that is registered at the provider."""
    return f"{url}/sso/{connection.id}/callback"


def ask_openid_provider(connection: Connection, flow: Flow, *, key: bytes, providers: Providers, url: str) -> str:
    """
    Where the browser goes with our request.

    Raises:
        AnswerRejected: the provider cannot be reached, or is another.
    """
    assert connection.oidc is not None
    provider = providers.of(connection.oidc.issuer)
    challenge = hashlib.sha256(flow.derived(key, "verifier").encode()).digest()
    parameters = {
        "response_type": "code",
        "client_id": connection.oidc.client_id,
        "redirect_uri": callback_of(connection, url),
        "scope": " ".join((*_SCOPES, *(["groups"] if "groups" in provider.scopes else ()))),
        "state": flow.handle + flow.derived(key, "state"),
        "nonce": flow.derived(key, "nonce"),
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        **({"prompt": "login", "max_age": "0"} if flow.force else {}),
    }
    at = provider.authorization_endpoint
    return f"{at}{'&' if '?' in at else '?'}{urlencode(parameters, quote_via=quote)}"


def believe_answer(
    connection: Connection,
    answer: Mapping[str, str],
    *,
    flow: Flow,
    key: bytes,
    providers: Providers,
    calls: Calls,
    client_keys: ClientKeys,
    provider_secrets: ProviderSecrets,
    provider_keys: ProviderKeys,
    single_use: SingleUse,
    url: str,
    clock: Clock,
) -> Said:
    """
    What the provider says of whom it authenticated, for the *answer* that came to the browser of *flow*; used up by this.

    Raises:
        AnswerRejected: it proves nothing, not to this browser, or was shown before.
        Unavailable: our own secret could not be read.
    """
    assert connection.oidc is not None
    issuer, client_id = connection.oidc.issuer, connection.oidc.client_id
    state = flow.handle + flow.derived(key, "state")
    if not hmac.compare_digest(answer.get("state", "").encode(), state.encode()):
        raise AnswerRejected("The answer is to a request of another browser.")
    provider = providers.of(issuer)
    if answer.get("iss", issuer) != issuer or (provider.issues_iss and "iss" not in answer):
        raise AnswerRejected("The answer is another issuer's.")
    try:
        single_use.spend(f"oidc {state}", until=flow.started_at + LIFETIME)
    except AlreadyUsed:
        raise AnswerRejected("The answer was used before.") from None
    if "error" in answer:
        told = " ".join(filter(None, (answer["error"], answer.get("error_description"))))
        raise AnswerRejected(f"The provider answered {told[:200]}.")
    form = {
        "grant_type": "authorization_code",
        "code": answer.get("code", ""),
        "redirect_uri": callback_of(connection, url),
        "code_verifier": flow.derived(key, "verifier"),
    }
    if connection.oidc.secret_ref is not None:
        secret = provider_secrets.read_provider_secret(connection.tenant_id, connection.oidc.secret_ref)
        headers = _by_secret(provider, client_id, secret, form)
    else:
        pair = current_pairs(connection, provider_keys=provider_keys, clock=clock)[0]
        headers = _by_key(provider, client_id, pair, form, clock)
    tokens = _object(calls, "POST", provider.token_endpoint, "The provider did not exchange the code", form, headers)
    access_token = tokens.get("access_token")
    expected = Expected(
        issuer,
        client_id,
        flow.derived(key, "nonce"),
        access_token if isinstance(access_token, str) else None,
        flow.started_at if flow.force else None,
    )
    key_of = partial(client_keys.key_at, connection.id, provider.jwks_uri)
    id_token = str(tokens.get("id_token") or "")
    claims = dict(verify_id_token(id_token, expected, key_of=key_of, now=clock()))
    claims = {**_userinfo(connection, provider, expected.access_token, claims, calls), **claims}
    if claims.get("email_verified") in (False, "false"):
        raise AnswerRejected("The provider says that the address is not verified.")
    told_amr = claims.get("amr")
    methods = tuple(each for each in told_amr if isinstance(each, str)) if isinstance(told_amr, list) else ()
    index = claims.get("sid")
    return Said(
        claims["sub"],
        claims,
        auth_time_of(claims),
        methods,
        index=index if isinstance(index, str) else None,
        ends_at_provider=True,
        logout_url=provider.end_session_endpoint,
        hint=id_token if len(id_token) <= LONGEST_HINT else None,
    )


def published_keys(connection: Connection, *, provider_keys: ProviderKeys, clock: Clock) -> dict[str, Any]:
    """The key set by which the provider knows us, where we authenticate by `private_key_jwt`."""
    pairs = current_pairs(connection, provider_keys=provider_keys, clock=clock)
    shown = [(_kid(pair), to_jwk(pair.private_key().public_key())) for pair in pairs]
    return {"keys": [{**jwk, "kid": kid, "use": "sig", "alg": "RS256"} for kid, jwk in shown]}


def _by_secret(provider: Provider, client_id: str, secret: str, form: dict[str, str]) -> dict[str, str]:
    """RFC 6749 section 2.3.1; by the form only where the provider takes nothing else."""
    if "client_secret_basic" not in provider.auth_methods and "client_secret_post" in provider.auth_methods:
        form |= {"client_id": client_id, "client_secret": secret}
        return {}
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def _by_key(provider: Provider, client_id: str, pair: KeyPair, form: dict[str, str], clock: Clock) -> dict[str, str]:
    """RFC 7523 section 2.2; the audience is the issuer, one text."""
    now = int(clock().timestamp())
    claims = {"iss": client_id, "sub": client_id, "aud": provider.issuer, "iat": now, "exp": now + 60}
    claims["jti"] = entropy.token_urlsafe(16)
    assertion = jwt.encode(claims, pair.private_key(), algorithm="RS256", headers={"kid": _kid(pair)})
    form |= {"client_id": client_id, "client_assertion_type": _ASSERTION, "client_assertion": assertion}
    return {}


def _kid(pair: KeyPair) -> str:
    return hashlib.sha256(pair.certificate.encode()).hexdigest()[:16]


def _userinfo(
    connection: Connection, provider: Provider, access_token: str | None, claims: Mapping[str, Any], calls: Calls
) -> Mapping[str, Any]:
    """What userinfo says besides, asked for only where the ID token lacks something that is looked for (section 5.3)."""
    mapped = connection.attribute_mapping
    wanted = {what: (mapped[what],) if what in mapped else USUAL[what] for what in ("email", "groups")}
    lacking = any(not any(claims.get(name) is not None for name in names) for names in wanted.values())
    if not lacking or provider.userinfo_endpoint is None or access_token is None:
        return {}
    headers = {"Authorization": f"Bearer {access_token}"}
    told = _object(calls, "GET", provider.userinfo_endpoint, "The provider's userinfo failed", None, headers)
    if told.get("sub") != claims["sub"]:
        raise AnswerRejected("The provider's userinfo is about somebody else.")
    return told


def _object(
    calls: Calls, method: str, endpoint: str, failed: str, form: Mapping[str, str] | None, headers: Mapping[str, str]
) -> Mapping[str, Any]:
    body = urlencode(form).encode() if form is not None else None
    sent = {"Accept": "application/json", **headers}
    if body is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        answer = calls.send(method, endpoint, body=body, headers=sent)
        told = parse_json(answer.body)
    except (Unfetched, Malformed):
        raise AnswerRejected(f"{failed}: no answer that could be read.") from None
    if answer.status != 200 or not isinstance(told, Mapping):
        error = told.get("error") if isinstance(told, Mapping) else None
        raise AnswerRejected(f"{failed}: {answer.status} {str(error or '')[:100]}.")
    return told
