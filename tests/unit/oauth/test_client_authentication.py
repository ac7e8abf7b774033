from base64 import b64encode
from urllib.parse import quote_plus

import pytest

from platforma.kernel.errors import Unavailable
from platforma.kernel.ids import new_id
from platforma.oauth import (
    add_secret,
    delete_client,
    delete_secret,
    patch_client,
    presented_client,
)
from platforma.oauth.client_authentication import UnverifiedClient
from platforma.oauth.errors import InvalidClient, InvalidRequest


def basic(client_id, secret):
    return "Basic " + b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()


@pytest.fixture
def authenticate(prove):
    return lambda client_id, secret, method="client_secret_basic": prove(UnverifiedClient(client_id, secret, method))


@pytest.fixture
def change(tenant_id, attempt, clients):
    return {"tenant_id": tenant_id, "attempt": attempt(), "clients": clients}


def forged(secret):
    """The secret with another last character."""
    return secret[:-1] + ("0" if secret[-1] != "0" else "1")


def test_basic_is_form_decoded_after_base64():
    presented = presented_client(basic("cli:+ü", "a%b c"), {})

    assert (presented.client_id, presented.secret, presented.method) == ("cli:+ü", "a%b c", "client_secret_basic")


def test_the_scheme_is_read_without_regard_to_case():
    assert presented_client(basic("a", "b").replace("Basic", "bAsIc"), {}).secret == "b"


def test_the_form_carries_id_and_secret():
    presented = presented_client(None, {"client_id": "a", "client_secret": "b"})

    assert (presented.client_id, presented.secret, presented.method) == ("a", "b", "client_secret_post")


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"client_secret": "b"}, "a second secret"),
        ({"client_id": "other"}, "another id"),
        ({"client_assertion": "x"}, "an assertion besides"),
    ],
)
def test_two_ways_at_once_are_an_invalid_request(form, why):
    with pytest.raises(InvalidRequest):
        presented_client(basic("a", "b"), form)


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Bearer abc",
        "Basic !!!!",
        "Basic YWJj",
        "Basic " + b64encode(b"\xff:x").decode(),
        "Basic " + b64encode(b"a:%ff").decode(),
        "Basic " + "A" * 2000,
        "Basic YTpi, Basic YTpi",
    ],
)
def test_a_header_that_is_no_basic_credential_is_an_invalid_client(authorization):
    with pytest.raises(InvalidClient):
        presented_client(authorization, {})


@pytest.mark.parametrize("form", [{}, {"client_secret": "b"}, {"client_assertion": "x"}])
def test_a_form_without_id_and_secret_is_an_invalid_client(form):
    with pytest.raises(InvalidClient):
        presented_client(None, form)


def test_the_right_secret_makes_the_client(register, authenticate):
    client, secret = register()

    assert authenticate(client.id, secret).id == client.id


def test_a_good_secret_is_hashed_once_an_hour(register, authenticate, clock, hashes):
    client, secret = register()
    authenticate(client.id, secret)
    assert hashes == []

    clock.forward(hours=1)
    authenticate(client.id, secret)
    authenticate(client.id, secret)

    assert hashes == [1]


def test_a_secret_that_was_never_issued_costs_neither_a_read_nor_a_hash(register, authenticate, clients, hashes):
    client, secret = register()

    for client_id in (client.id, new_id("cli"), "cli_x", "'"):
        with pytest.raises(InvalidClient):
            authenticate(client_id, forged(secret))

    assert (clients.reads, hashes) == (0, [])


def test_another_clients_secret_costs_neither_a_read_nor_a_hash(register, authenticate, clients, hashes):
    client, _ = register()
    _, other = register()

    with pytest.raises(InvalidClient):
        authenticate(client.id, other)

    assert (clients.reads, hashes) == (0, [])


@pytest.mark.parametrize("secret", ["", "cs_", "x" * 5000, "cs_" + "z" * 55, "cs_1" + "ü" * 54, "cs_1" + "٣" * 54])
def test_what_has_not_the_form_of_a_secret_is_refused(register, authenticate, secret):
    client, _ = register()

    with pytest.raises(InvalidClient):
        authenticate(client.id, secret)


def test_both_secrets_are_good_while_there_are_two_and_only_they(register, authenticate, change, secrets, clock, hashes):
    client, first = register()
    second, shown = add_secret(client.id, **change, secrets=secrets, clock=clock)
    authenticate(client.id, first)
    authenticate(client.id, shown)

    delete_secret(client.id, client.secrets[0].id, **change)

    assert authenticate(client.id, shown).secret(second.id)
    with pytest.raises(InvalidClient) as refused:
        authenticate(client.id, first)
    assert refused.value.client.id == client.id
    assert hashes == []


def test_each_secret_has_its_own_time_of_use_noted_once_a_minute(register, authenticate, change, secrets, clock, clients):
    client, first = register()
    second, _ = add_secret(client.id, **change, secrets=secrets, clock=clock)
    began = clock()

    authenticate(client.id, first)
    clock.forward(seconds=59)
    authenticate(client.id, first)

    kept = clients.get(client.id)
    assert kept.secret(client.secrets[0].id).last_used_at == began
    assert kept.secret(second.id).last_used_at is None
    clock.forward(seconds=1)
    authenticate(client.id, first)
    assert clients.get(client.id).secret(client.secrets[0].id).last_used_at == clock()


def test_a_suspended_client_is_refused_without_a_hash_and_named_for_its_log(register, authenticate, change, hashes):
    client, secret = register()
    patch_client(client.id, {"status": "suspended"}, **change, if_version=1)

    with pytest.raises(InvalidClient) as refused:
        authenticate(client.id, secret)

    assert refused.value.client.id == client.id
    assert hashes == []


def test_a_client_that_is_active_again_pays_bcrypt_once(register, authenticate, change, hashes):
    client, secret = register()
    patch_client(client.id, {"status": "suspended"}, **change, if_version=1)
    patch_client(client.id, {"status": "active"}, **change, if_version=2)

    authenticate(client.id, secret)

    assert hashes == [1]


def test_a_deleted_client_is_refused_and_named_for_its_log(register, authenticate, change):
    client, secret = register()
    delete_client(client.id, **change, if_version=None)

    with pytest.raises(InvalidClient) as refused:
        authenticate(client.id, secret)

    assert refused.value.client.status == "deleted"


def test_a_check_that_races_with_a_suspension_lets_nobody_in_and_writes_no_ticket(
    register, authenticate, change, clients, clock, monkeypatch
):
    client, secret = register()
    clock.forward(hours=2)
    note_use = clients.note_use

    def late(*given):
        patch_client(client.id, {"status": "suspended"}, **change, if_version=1)
        return note_use(*given)

    monkeypatch.setattr(clients, "note_use", late)

    with pytest.raises(InvalidClient):
        authenticate(client.id, secret)

    assert clients.get(client.id).secrets[0].stored.ticket == ""


@pytest.mark.parametrize(
    ("registered", "used", "good"),
    [
        (None, "client_secret_basic", True),
        (None, "client_secret_post", True),
        ("client_secret_post", "client_secret_post", True),
        ("client_secret_post", "client_secret_basic", False),
        ("client_secret_basic", "client_secret_post", False),
    ],
)
def test_a_registered_method_is_the_only_one(register, authenticate, registered, used, good):
    client, secret = register(token_endpoint_auth_method=registered)

    if good:
        assert authenticate(client.id, secret, used)
    else:
        with pytest.raises(InvalidClient):
            authenticate(client.id, secret, used)


def test_a_secret_of_an_older_pepper_stays_good(register, authenticate, secrets, clock):
    client, secret = register()
    secrets.rotate_pepper()
    clock.forward(hours=2)

    assert authenticate(client.id, secret)
    assert authenticate(client.id, secret)


def test_without_peppers_nobody_is_let_in(register, authenticate, secrets):
    client, secret = register()
    secrets.gone = True

    with pytest.raises(Unavailable):
        authenticate(client.id, secret)
