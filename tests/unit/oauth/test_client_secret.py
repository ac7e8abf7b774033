import re

import pytest

from platforma.kernel.ids import new_id
from platforma.oauth.client_secret import genuine, new_client_secret
from platforma.oauth.errors import InvalidClient


def test_a_secret_has_58_characters_of_base62_behind_its_prefix(secrets, clock):
    shown, _ = new_client_secret(new_id("cli"), secrets=secrets, now=clock())

    assert re.fullmatch(r"cs_1[0-9A-Za-z]{54}", shown)


def test_what_is_kept_does_not_contain_the_secret(secrets, clock):
    shown, kept = new_client_secret(new_id("cli"), secrets=secrets, now=clock())

    assert shown[4:47] not in f"{kept} {kept.stored.hash} {kept.stored.ticket} {kept.selector}"
    assert kept.stored.hash.startswith("$2b$")


def test_every_character_counts(secrets, clock):
    client_id = new_id("cli")
    shown, _ = new_client_secret(client_id, secrets=secrets, now=clock())

    for position in range(len(shown)):
        for other in "0Az_":
            changed = shown[:position] + other + shown[position + 1 :]
            if changed != shown:
                with pytest.raises(InvalidClient):
                    genuine(changed, client_id=client_id, secrets=secrets)


def test_a_trailing_newline_is_not_overlooked(secrets, clock):
    client_id = new_id("cli")
    shown, _ = new_client_secret(client_id, secrets=secrets, now=clock())

    with pytest.raises(InvalidClient):
        genuine(shown + "\n", client_id=client_id, secrets=secrets)


def test_the_representation_of_a_genuine_secret_hides_it(secrets, clock):
    client_id = new_id("cli")
    shown, _ = new_client_secret(client_id, secrets=secrets, now=clock())

    assert shown[4:47] not in repr(genuine(shown, client_id=client_id, secrets=secrets))
