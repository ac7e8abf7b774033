from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pyotp
import pytest

from platforma.adapters.memory.identity import MemoryAttemptCounts
from platforma.adapters.memory.identity.factors import MemoryFactors
from platforma.adapters.memory.keys import MemorySecrets
from platforma.identity.factors import (
    RelyingParty,
    TooManyPasskeys,
    WrongCode,
    WrongPasskey,
    check_code,
    check_passkey,
    confirm_totp,
    enrol_passkey,
    enrol_totp,
    enrolment_options,
    read_factors,
    remove_factor,
    renew_recovery_codes,
    sign_in_options,
)
from platforma.identity.model import User
from platforma.kernel.errors import Conflict, NotFound, RateLimited
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from tests.fakes.authenticator import Authenticator

PARTY = RelyingParty("id.platforma.test", "https://id.platforma.test")


class Person:
    def __init__(self):
        self.now = datetime(2026, 11, 24, 12, tzinfo=UTC)
        self.events = []
        self.factors = MemoryFactors(self.events.append)
        self.counts, self.secrets = MemoryAttemptCounts(), MemorySecrets()
        self.user = User(new_id("usr"), new_id("ten"), "ada@acme.test", "Ada", "active", self.now)

    @property
    def of(self):
        return self.user.tenant_id, self.user.id

    def clock(self):
        return self.now

    def attempt(self):
        return Attempt(request_id="r", action="settings.factors.create", clock=self.clock)

    def enrol(self):
        secret, _ = enrol_totp(
            *self.of, account=self.user.email, issuer_name="acme", factors=self.factors, attempt=self.attempt()
        )
        codes = confirm_totp(*self.of, self.code(secret), factors=self.factors, counts=self.counts, attempt=self.attempt())
        self.now += timedelta(seconds=60)
        return secret, codes

    def code(self, secret, **ago):
        return pyotp.TOTP(secret).at(self.now - timedelta(**ago))

    def check(self, code):
        return check_code(*self.of, code, factors=self.factors, counts=self.counts, attempt=self.attempt())

    def creation(self):
        return enrolment_options(self.user, factors=self.factors, party=PARTY, secrets=self.secrets, clock=self.clock)

    def keep(self, answer):
        return enrol_passkey(
            self.user,
            answer,
            name="laptop",
            factors=self.factors,
            party=PARTY,
            secrets=self.secrets,
            attempt=self.attempt(),
        )

    def request(self, browser="b", tenant=None):
        tenant = tenant or self.user.tenant_id
        return sign_in_options(tenant, browser, party=PARTY, secrets=self.secrets, clock=self.clock)

    def show(self, answer, browser="b", tenant=None):
        return check_passkey(
            tenant or self.user.tenant_id,
            answer,
            browser=browser,
            factors=self.factors,
            party=PARTY,
            secrets=self.secrets,
            attempt=self.attempt(),
        )


@pytest.fixture
def person():
    return Person()


@pytest.fixture
def passkey(person):
    made = Authenticator(PARTY.origin)
    person.keep(made.create(person.creation()))
    return made


def test_an_app_counts_only_once_a_code_of_it_was_shown(person):
    enrol_totp(*person.of, account="a", issuer_name="i", factors=person.factors, attempt=person.attempt())

    assert not read_factors(*person.of, factors=person.factors).second
    with pytest.raises(WrongCode):
        confirm_totp(*person.of, "000000", factors=person.factors, counts=person.counts, attempt=person.attempt())


def test_the_uri_names_the_account_and_the_issuer(person):
    secret, uri = enrol_totp(
        *person.of, account="ada@acme.test", issuer_name="acme", factors=person.factors, attempt=person.attempt()
    )

    parsed = pyotp.parse_uri(uri)
    assert (parsed.name, parsed.issuer, parsed.secret) == ("ada@acme.test", "acme", secret)


def test_a_current_code_is_good_once(person):
    secret, _ = person.enrol()

    assert person.check(person.code(secret)) == "otp"
    with pytest.raises(WrongCode):
        person.check(person.code(secret))


def test_the_code_that_confirmed_is_used(person):
    secret, _ = person.enrol()
    person.now -= timedelta(seconds=60)

    with pytest.raises(WrongCode):
        person.check(person.code(secret))


def test_a_code_of_an_earlier_step_than_the_last_is_no_good(person):
    secret, _ = person.enrol()
    person.check(person.code(secret))

    with pytest.raises(WrongCode):
        person.check(person.code(secret, seconds=30))


@pytest.mark.parametrize(("seconds", "good"), [(30, True), (-30, True), (60, False), (-60, False)])
def test_a_code_may_be_one_step_off(person, seconds, good):
    secret, _ = person.enrol()
    person.now += timedelta(minutes=10)

    if good:
        assert person.check(person.code(secret, seconds=seconds)) == "otp"
    else:
        with pytest.raises(WrongCode):
            person.check(person.code(secret, seconds=seconds))


@pytest.mark.parametrize("code", ["", "12345", "\uff11\uff12\uff13\uff14\uff15\uff16", None, 123456, "\ud800", "0" * 5000])
def test_what_is_no_code_is_wrong_and_no_more(person, code):
    person.enrol()

    with pytest.raises(WrongCode):
        person.check(code)


def test_a_code_sent_by_twenty_at_once_is_good_for_one(person):
    secret, _ = person.enrol()
    code, barrier = person.code(secret), Barrier(20)

    def send(_):
        barrier.wait()
        try:
            return person.check(code)
        except (WrongCode, RateLimited):
            return None

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(send, range(20))).count("otp") == 1


def test_a_recovery_code_is_good_once_however_it_is_written(person):
    _, codes = person.enrol()

    assert person.check(codes[0].upper().replace("-", " ")) == "otp"
    with pytest.raises(WrongCode):
        person.check(codes[0])
    assert person.check(codes[1]) == "otp"


def test_new_recovery_codes_end_the_old_ones(person):
    _, old = person.enrol()
    new = renew_recovery_codes(*person.of, factors=person.factors, attempt=person.attempt())

    with pytest.raises(WrongCode):
        person.check(old[0])
    assert person.check(new[0]) == "otp"


def test_nothing_that_is_kept_or_shown_has_a_recovery_code(person):
    _, codes = person.enrol()
    kept = read_factors(*person.of, factors=person.factors)

    assert not [code for code in codes if code in str(kept.document()) or code.replace("-", "") in str(kept.document())]
    assert "secret" not in str(kept.as_json())


def test_guessing_codes_is_slowed_down(person):
    secret, _ = person.enrol()
    for _ in range(5):
        with pytest.raises(WrongCode):
            person.check("000000")

    with pytest.raises(RateLimited):
        person.check(person.code(secret))


def test_a_confirmed_app_is_not_replaced_behind_its_owners_back(person):
    person.enrol()

    with pytest.raises(Conflict):
        person.enrol()


def test_recovery_codes_go_with_their_app(person):
    _, codes = person.enrol()
    remove_factor(*person.of, "totp", factors=person.factors, attempt=person.attempt())

    with pytest.raises(WrongCode):
        person.check(codes[0])
    assert read_factors(*person.of, factors=person.factors).as_json() == []


def test_a_passkey_signs_its_user_in_with_two_factors(person, passkey):
    user_id, amr = person.show(passkey.get(person.request()))

    assert user_id == person.user.id
    assert amr == ("hwk", "user", "mfa")


def test_an_answer_shown_twice_is_refused(person, passkey):
    answer = passkey.get(person.request())
    person.show(answer)

    with pytest.raises(WrongPasskey):
        person.show(answer)


def test_another_browsers_challenge_is_refused(person, passkey):
    answer = passkey.get(person.request(browser="mallory"))

    with pytest.raises(WrongPasskey):
        person.show(answer, browser="b")


def test_another_tenants_challenge_is_refused(person, passkey):
    other = new_id("ten")

    with pytest.raises(WrongPasskey):
        person.show(passkey.get(person.request(tenant=other)))
    with pytest.raises(WrongPasskey):
        person.show(passkey.get(person.request(tenant=other)), tenant=other)


def test_a_challenge_for_enrolment_signs_nobody_in(person, passkey):
    answer = passkey.get(person.creation().replace('"rp"', '"x"').replace("{", '{"rpId": "id.platforma.test",', 1))

    with pytest.raises(WrongPasskey):
        person.show(answer)


def test_an_old_challenge_is_refused(person, passkey):
    answer = passkey.get(person.request())
    person.now += timedelta(minutes=5)

    with pytest.raises(WrongPasskey):
        person.show(answer)


def test_an_authenticator_that_did_not_verify_its_user_is_refused(person, passkey):
    passkey.verifies = False

    with pytest.raises(WrongPasskey):
        person.show(passkey.get(person.request()))


def test_a_counter_that_went_back_is_refused(person, passkey):
    person.show(passkey.get(person.request()))
    passkey.count = 0

    with pytest.raises(WrongPasskey):
        person.show(passkey.get(person.request()))


def test_an_answer_of_another_origin_is_refused(person, passkey):
    passkey.origin = "https://id.platforma.test.evil.example"

    with pytest.raises(WrongPasskey):
        person.show(passkey.get(person.request()))


def test_another_key_under_the_same_id_is_refused(person, passkey):
    forged = Authenticator(PARTY.origin, id=passkey.id, user_handle=passkey.user_handle)

    with pytest.raises(WrongPasskey):
        person.show(forged.get(person.request()))


@pytest.mark.parametrize("answer", ["", "[]", "{}", "null", '{"response": {"clientDataJSON": "AAAA"}}', "[" * 100_000])
def test_what_is_no_answer_is_refused_and_no_more(person, passkey, answer):
    with pytest.raises(WrongPasskey):
        person.show(answer)
    with pytest.raises(WrongPasskey):
        person.keep(answer)


def test_a_challenge_enrols_one_passkey(person):
    creation = person.creation()
    person.keep(Authenticator(PARTY.origin).create(creation))

    with pytest.raises(WrongPasskey):
        person.keep(Authenticator(PARTY.origin).create(creation))


def test_there_are_ten_passkeys_at_most(person):
    for _ in range(10):
        person.keep(Authenticator(PARTY.origin).create(person.creation()))

    with pytest.raises(TooManyPasskeys):
        person.keep(Authenticator(PARTY.origin).create(person.creation()))


def test_a_removed_passkey_signs_nobody_in(person, passkey):
    (shown,) = read_factors(*person.of, factors=person.factors).as_json()
    remove_factor(*person.of, shown["id"], factors=person.factors, attempt=person.attempt())

    with pytest.raises(WrongPasskey):
        person.show(passkey.get(person.request()))
    with pytest.raises(NotFound):
        remove_factor(*person.of, shown["id"], factors=person.factors, attempt=person.attempt())


def test_every_change_of_factors_has_its_event(person, passkey):
    person.enrol()

    assert [event.resource for event in person.events][1:] == ["totp", "totp"]
    assert person.events[0].resource.startswith("passkey_")
