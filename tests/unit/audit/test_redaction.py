"""No credential is entered into the log, wherever a caller puts it."""

import json
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.audit.external import external_events
from platforma.audit.redaction import REDACTED, is_suspect, redacted
from platforma.audit.sealing import open_rows, seal_event
from platforma.kernel.clock import rfc3339, system_clock
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope

TENANT = new_id("ten")
KEY = "pk_live_1" + "a0Z" * 27 + "b"
JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1c3JfMSJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
CREDENTIALS = [
    KEY,
    KEY.replace("live", "test"),
    JWT,
    "scim_1" + "a" * 76,
    "whsec_" + "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    "Bearer " + "x" * 43,
    "basic " + "dXNlcjpwYXNzd29yZA==",
    "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEI\n-----END EC PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nMHcCAQEEI",
]
NAMED = [
    *(
        "password",
        "new_password",
        "Password",
        "clientSecret",
        "client-secret",
        "access_token",
        "API_KEY",
        "apiKey",
        "x-api-key",
    ),
    *(
        "Authorization",
        "Set-Cookie",
        "private_key",
        "aws_secret_access_key",
        "credentials",
        "client_assertion",
        "recovery_codes",
    ),
]


def entered(**said: object) -> str:
    """What readers see, and what stands in the clear, of an event that says this."""
    attempt = Attempt("r", "settings.users.get", system_clock, tenant_id=TENANT, principal_type="user")
    envelope = Envelope(MemoryDataKeys(TENANT))
    row = seal_event(attempt.event("success", **said), envelope)
    (opened,) = open_rows(TENANT, [row], envelope)
    return row.body.decode() + json.dumps(opened.document(), ensure_ascii=False)


def written(**said: object) -> str:
    """The same of another service's."""
    now = system_clock()
    sent = {"id": secrets.token_hex(4), "timestamp": rfc3339(now), "action": "orders.x.create", "result": "success", **said}
    (event,) = external_events(
        sent, tenant_id=TENANT, writer_type="oauth_client", writer_id="cli_1", control_domains=(), now=now
    )
    envelope = Envelope(MemoryDataKeys(TENANT))
    row = seal_event(event, envelope)
    (opened,) = open_rows(TENANT, [row], envelope)
    return row.body.decode() + json.dumps(opened.document(), ensure_ascii=False)


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_a_credential_in_the_place_of_anything_else_is_not_entered(credential: str):
    part = credential.split("\n")[1] if "\n" in credential else credential.rsplit(maxsplit=1)[-1][-24:]
    attributes = {"attributes": {"note": f"see {credential}.", credential: 1}, "id": credential}
    for said in (
        {"resource": credential},
        {"reason": f"tried {credential}"},
        {"changes": {"after": {"name": credential, "list": [credential]}}},
        {"decision": {"resource": attributes, "context": {"agent": credential}}},
    ):
        text = entered(**said)
        assert part not in text, said
        assert REDACTED in text


@pytest.mark.parametrize("field", ["resource", "reason", "request_id", "user_agent", "user_id", "id"])
def test_another_service_enters_no_credential_in_any_field(field: str):
    text = written(**{field: KEY})

    assert KEY[9:] not in text
    assert f"pk_live_{REDACTED}" in text


@pytest.mark.parametrize("name", NAMED)
def test_what_another_service_names_as_a_credential_is_not_entered(name: str):
    value = secrets.token_hex(8)

    text = written(changes={"before": {name: value, "deep": [{name: [value]}]}, "after": {name: None, "changed": True}})

    assert value not in text
    assert REDACTED in text
    assert '"changed":true' in text


def test_what_callers_say_of_resources_is_looked_at_likewise():
    text = entered(
        decision={"resource": {"id": "c", "attributes": {"password": "hunter2"}}, "context": {"api_key": "hunter3"}}
    )

    assert "hunter" not in text


def test_what_our_own_events_say_by_their_schemas_stays():
    told = {"before": {"oidc": {"secret": "sso/abc"}, "token_endpoint_auth_method": "none"}, "after": {"password": True}}

    assert json.dumps(told["before"]["oidc"], separators=(",", ":")) in entered(changes=told)


def test_that_a_password_changed_may_be_told():
    assert '"password":true' in written(changes={"after": {"password": True}})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(CREDENTIALS),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.sampled_from(NAMED), inner, max_size=3)
        ),
        max_leaves=12,
    )
)
def test_whatever_is_said_redacting_finds_all_at_once_and_overlooks_no_suspect(value: object):
    document = {"changes": value}
    once = redacted(document, external=True)

    assert redacted(once, external=True) == once
    if once != document:
        assert is_suspect(json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass"))
