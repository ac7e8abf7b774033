"""Mail that people get from the deployed system, as the emulator's outbox has it; and passwords that they set."""

import re
import secrets

import httpx

from tests.integration.conftest import Running


def test_an_invited_user_and_one_who_forgot_are_mailed_a_link(running: Running, token: str):
    address = f"eve-{secrets.token_hex(4)}@acme.test"
    user = running.call("POST", "/v1/users", token=token, json={"email": address, "name": "Eve"})
    assert user.status_code == 201, user.text
    (invitation,) = running.mails(address)
    assert re.search(re.escape(running.stack["url"]) + r"/invitation\?token=[\w-]{43}", invitation)

    asked = running.call("POST", f"/v1/users/{user.json()['id']}/password-reset", token=token)
    assert asked.status_code == 202, asked.text
    first, second = running.mails(address, count=2)
    assert first != second


def test_the_first_administrator_of_a_tenant_is_invited(running: Running):
    platform = running.token(running.stack["platform_client"])
    address = f"first-{secrets.token_hex(4)}@ajax.test"
    body = {"name": "Ajax", "admin": {"email": address, "name": "First"}}

    made = running.call("POST", "/v1/tenants", token=platform, json=body)

    assert made.status_code == 201, made.text
    assert running.mails(address)


def test_a_user_changes_its_own_password(running: Running, token: str):
    old, new = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    body = {"email": f"bob-{secrets.token_hex(4)}@acme.test", "name": "Bob", "password": old, "roles": ["admin"]}
    user = running.call("POST", "/v1/users", token=token, json=body).json()
    wanted = {"name": "own", "environment": "live", "scopes": ["settings.passwords.set"]}
    key = running.call("POST", "/v1/api-keys", token=token, json={**wanted, "owner": {"type": "user", "id": user["id"]}})
    assert key.status_code == 201, key.text

    def change(current: str, user_id: str = user["id"]) -> httpx.Response:
        sent = {"current_password": current, "new_password": new}
        return running.call("PUT", f"/v1/users/{user_id}/password", token=key.json()["key"], json=sent)

    assert change(old, running.stack["admin"]["user_id"]).status_code == 403
    changed = change(old)
    assert changed.status_code == 204, changed.text
    assert change(old).json()["code"] == "wrong_password"
