import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from platforma.adapters.memory.apikeys import MemoryLeaks
from platforma.apikeys import Leak, bound_by, get_key, report_leaks, revoke_key, set_leak_response, verify_report
from platforma.apikeys.leaks import ACTION
from platforma.kernel.errors import PreconditionFailed, Unauthenticated, Unavailable
from tests.security.test_api_keys import forgeries

URL = "https://github.com/octocat/Hello-World/blob/main/.env"

# GitHub's own example and the test key that it is signed with: github/docs,
# content/code-security/secret-scanning/secret-scanning-partner-program.md at 0e9604825faedfdcf49dcfcb66b54e597c9c85c0
GITHUBS_BODY = b'[{"token":"some_token","type":"some_type","url":"some_url","source":"some_source"}]'
GITHUBS_IDENTIFIER = "f9525bf080f75b3506ca1ead061add62b8633a346606dc5fe544e29231c6ee0d"
GITHUBS_SIGNATURE = "MEUCIFLZzeK++IhS+y276SRk2Pe5LfDrfvTXu6iwKKcFGCrvAiEAhHN2kDOhy2I6eGkOFmxNkOJ+L2y8oQ9A2T9GGJo6WJY="
GITHUBS_KEY = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEsz9ugWDj5jK5ELBK42ynytbo38gP
HzZFI03Exwz8Lh/tCfL3YxwMdLjB+bMznsanlhK0RwcGP3IDb34kQDIo3Q==
-----END PUBLIC KEY-----
"""


class Published(dict):
    def find(self, identifier):
        return self.get(identifier)


def pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture
def leaks(world):
    return MemoryLeaks(world.keys, world.events.append)


@pytest.fixture
def report(world, leaks):
    def reported(*texts, url=URL, source="content"):
        found = [Leak(text, url, source) for text in texts]
        attempt = world.attempt("settings.api_keys.report_leaks")
        return report_leaks(found, leaks=leaks, secrets=world.secrets, clock=world.clock, attempt=attempt)

    return reported


def told(world):
    return [event for event in world.events if event.action == ACTION]


def test_githubs_own_example_verifies():
    verify_report(
        GITHUBS_BODY, GITHUBS_IDENTIFIER, GITHUBS_SIGNATURE, scanner_keys=Published({GITHUBS_IDENTIFIER: GITHUBS_KEY})
    )


@pytest.mark.parametrize(
    ("raw", "identifier", "signature"),
    [
        (GITHUBS_BODY + b" ", GITHUBS_IDENTIFIER, GITHUBS_SIGNATURE),
        (GITHUBS_BODY, "another", GITHUBS_SIGNATURE),
        (GITHUBS_BODY, None, GITHUBS_SIGNATURE),
        (GITHUBS_BODY, GITHUBS_IDENTIFIER, None),
        (GITHUBS_BODY, GITHUBS_IDENTIFIER, ""),
        (GITHUBS_BODY, GITHUBS_IDENTIFIER, "MEUC!"),
        (GITHUBS_BODY, GITHUBS_IDENTIFIER, base64.b64encode(b"\x30\x06\x02\x01\x00\x02\x01\x00").decode()),
        (GITHUBS_BODY, GITHUBS_IDENTIFIER, GITHUBS_SIGNATURE * 10),
        (GITHUBS_BODY, "x" * 10_000, GITHUBS_SIGNATURE),
        (GITHUBS_BODY, GITHUBS_IDENTIFIER, GITHUBS_SIGNATURE + "é"),
    ],
)
def test_what_the_scanner_did_not_sign_is_refused(raw, identifier, signature):
    with pytest.raises(Unauthenticated):
        verify_report(raw, identifier, signature, scanner_keys=Published({GITHUBS_IDENTIFIER: GITHUBS_KEY}))


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()])
def test_no_other_kind_of_key_is_taken(key):
    signature = key.sign(b"[]", ec.ECDSA(SHA256())) if isinstance(key, ec.EllipticCurvePrivateKey) else key.sign(b"[]")

    with pytest.raises(Unauthenticated):
        verify_report(b"[]", "kid", base64.b64encode(signature).decode(), scanner_keys=Published({"kid": pem(key)}))


def test_a_leaked_key_is_revoked_and_its_tenant_told_where(world, report):
    issued = world.issue()

    labels = report(issued.text)

    assert labels == ["true_positive"]
    assert world.check(issued.text).code == "revoked"
    (event,) = told(world)
    assert (event.tenant_id, event.resource, event.principal_id) == (world.tenant_id, issued.key.id, "secret_scanning")
    assert event.changes == {
        "before": {"status": "active"},
        "after": {"status": "revoked", "url": URL, "source": "content"},
    }


def test_what_was_made_through_a_leaked_key_ends_with_it(world, report):
    parent = world.issue()
    child = world.issue(bound=bound_by(parent.key))

    report(parent.text)

    assert world.check(child.text).code == "revoked"


def test_a_tenant_that_wants_to_be_told_only_is_told_only(world, report, leaks):
    issued = world.issue()
    set_leak_response(world.tenant_id, "notify", if_match=1, leaks=leaks, attempt=world.attempt())

    assert report(issued.text) == ["true_positive"]

    assert world.check(issued.text).code == "valid"
    assert told(world)[0].changes["after"]["status"] == "active"


def test_what_a_tenant_wants_changes_from_the_version_that_it_saw(world, leaks):
    set_leak_response(world.tenant_id, "notify", if_match=1, leaks=leaks, attempt=world.attempt())

    with pytest.raises(PreconditionFailed):
        set_leak_response(world.tenant_id, "revoke", if_match=1, leaks=leaks, attempt=world.attempt())


def test_a_report_that_is_sent_again_does_nothing(world, report, leaks):
    issued = world.issue()
    set_leak_response(world.tenant_id, "notify", if_match=None, leaks=leaks, attempt=world.attempt())
    report(issued.text)

    assert report(issued.text, issued.text) == ["true_positive"] * 2
    assert len(told(world)) == 1


def test_each_place_is_told_once(world, report):
    issued = world.issue()

    for _ in range(2):
        report(issued.text, url="https://github.com/a")
        report(issued.text, url="https://github.com/b")

    assert [event.changes["after"]["url"][-1] for event in told(world)] == ["a", "b"]


@pytest.mark.parametrize("name", forgeries("0" * 91))
def test_what_we_did_not_make_is_a_false_positive_and_touches_nothing(world, report, name):
    issued = world.issue()
    world.keys.reads = 0

    assert report(forgeries(issued.text)[name]) == ["false_positive"]

    assert world.keys.reads == 0
    assert told(world) == []
    assert world.check(issued.text).code == "valid"


def test_junk_among_keys_is_told_apart(world, report):
    issued = world.issue()

    assert report("", "some_token", issued.text, "\ud800" * 91) == [
        "false_positive", "false_positive", "true_positive", "false_positive",
    ]  # fmt: skip


def test_a_dead_key_is_still_a_true_one_and_stays_as_it_is(world, report):
    issued = world.issue()
    revoked = revoke_key(world.tenant_id, issued.key.id, **world.use())
    world.passes(days=1)

    assert report(issued.text) == ["true_positive"]
    assert get_key(world.tenant_id, issued.key.id, keys=world.keys) == revoked


def test_a_key_that_changes_in_the_same_moment_is_revoked_all_the_same(world, leaks):
    issued = world.issue()
    report_, raced = leaks.report, []

    def racing(before, *more):
        if not raced:
            raced.append(True)
            raise PreconditionFailed
        report_(before, *more)

    leaks.report = racing
    found = [Leak(issued.text, URL, "commit")]
    report_leaks(found, leaks=leaks, secrets=world.secrets, clock=world.clock, attempt=world.attempt())

    assert world.check(issued.text).code == "revoked"


def test_without_vault_nothing_is_called_false(world, report):
    issued = world.issue()
    world.secrets.gone = True

    with pytest.raises(Unavailable):
        report(issued.text)


def test_neither_the_leak_nor_its_event_shows_the_secret(world, report):
    issued = world.issue()
    report(issued.text)

    assert issued.text[31:74] not in repr(told(world)) + repr(Leak(issued.text, URL, "content"))
