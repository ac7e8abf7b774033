"""
Passkeys (WebAuthn level 3): enrolled by who is signed in, and shown in place of password and second factor.

User verification is always asked for, so that a passkey is two factors: what one has, and what unlocks it.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from platforma.identity.factors.challenge import check_challenge, new_challenge, require_unspent
from platforma.identity.factors.errors import TooManyPasskeys, WrongPasskey
from platforma.identity.factors.model import MAX_PASSKEYS, Passkey, RelyingParty, at
from platforma.identity.factors.ports import FactorStore
from platforma.identity.model import User
from platforma.kernel.clock import Clock
from platforma.kernel.errors import PreconditionFailed
from platforma.kernel.events import Attempt
from platforma.kernel.ids import is_id
from platforma.keys.ports import Secrets

_UNREADABLE = (WebAuthnException, ValueError, TypeError, KeyError, IndexError, AttributeError)
_TRANSPORTS = frozenset({"ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"})


def enrolment_options(user: User, *, factors: FactorStore, party: RelyingParty, secrets: Secrets, clock: Clock) -> str:
    """What `navigator.credentials.create` is called with, as JSON."""
    challenge = new_challenge(secrets.secret("lookup"), "enrol", user.tenant_id, user.id, clock())
    known = factors.read(user.tenant_id, user.id).passkeys
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=user.id.encode(),
        user_name=user.email,
        user_display_name=user.name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(base64url_to_bytes(each.credential_id)) for each in known],
    )
    return options_to_json(options)


def enrol_passkey(
    user: User,
    credential: str,
    *,
    name: str,
    factors: FactorStore,
    party: RelyingParty,
    secrets: Secrets,
    attempt: Attempt,
) -> Passkey:
    """
    Keep the passkey that the browser made; *credential* is its answer as JSON, of which nothing is verified yet.

    Raises:
        WrongPasskey: the answer does not hold, or its challenge is not a fresh one of this user's.
        TooManyPasskeys: there are ten.
    """
    before, now = factors.read(user.tenant_id, user.id), attempt.clock()
    answer, challenge = _answer(credential)
    check_challenge(challenge, secrets.secret("lookup"), "enrol", user.tenant_id, user.id, now)
    spent = require_unspent(challenge, before)
    if len(before.passkeys) >= MAX_PASSKEYS:
        raise TooManyPasskeys
    try:
        verified = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
        transports = answer["response"].get("transports") or []
        made = Passkey(
            credential_id=bytes_to_base64url(verified.credential_id),
            public_key=bytes_to_base64url(verified.credential_public_key),
            sign_count=verified.sign_count,
            name=name,
            backed_up=verified.credential_backed_up,
            transports=tuple(sorted(_TRANSPORTS.intersection(transports))),
            created_at=at(now),
        )
    except _UNREADABLE:
        raise WrongPasskey from None
    if before.passkey(made.credential_id) is not None:
        raise WrongPasskey
    after = before.having_spent(spent, now, passkeys=(*before.passkeys, made))
    factors.put(before, after, attempt.event("success", resource=made.id, resource_type="factor"))
    return made


def sign_in_options(tenant_id: str, browser: str, *, party: RelyingParty, secrets: Secrets, clock: Clock) -> str:
    """What `navigator.credentials.get` is called with, as JSON: any passkey of ours, since nobody is named yet."""
    challenge = new_challenge(secrets.secret("lookup"), "sign-in", tenant_id, browser, clock())
    required = UserVerificationRequirement.REQUIRED
    return options_to_json(generate_authentication_options(rp_id=party.id, challenge=challenge, user_verification=required))


def check_passkey(
    tenant_id: str,
    credential: str,
    *,
    browser: str,
    factors: FactorStore,
    party: RelyingParty,
    secrets: Secrets,
    attempt: Attempt,
) -> tuple[str, tuple[str, ...]]:
    """
    The id of the user whose passkey answered, and how (RFC 8176); its challenge is used up. Nothing of *credential* is
    verified yet; whether the user may sign in is for the caller to look at.

    Raises:
        WrongPasskey: unknown, another tenant's, a wrong signature, a counter that went back, a challenge used or of another
            browser: one error for all.
    """
    now = attempt.clock()
    answer, challenge = _answer(credential)
    check_challenge(challenge, secrets.secret("lookup"), "sign-in", tenant_id, browser, now)
    try:
        user_id = base64url_to_bytes(answer["response"]["userHandle"]).decode("ascii")
        credential_id = bytes_to_base64url(base64url_to_bytes(answer["rawId"]))
    except _UNREADABLE:
        raise WrongPasskey from None
    if not is_id(user_id, "usr"):
        raise WrongPasskey
    before = factors.read(tenant_id, user_id)
    spent, known = require_unspent(challenge, before), before.passkey(credential_id)
    if known is None:
        raise WrongPasskey
    try:
        verified = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=base64url_to_bytes(known.public_key),
            credential_current_sign_count=known.sign_count,
            require_user_verification=True,
        )
    except _UNREADABLE:
        raise WrongPasskey from None
    used = replace(known, sign_count=verified.new_sign_count, backed_up=verified.credential_backed_up, last_used_at=at(now))
    others = tuple(used if each is known else each for each in before.passkeys)
    try:
        factors.put(before, before.having_spent(spent, now, passkeys=others), None)
    except PreconditionFailed:  # the same answer, twice in the same moment
        raise WrongPasskey from None
    return user_id, ("swk" if verified.credential_device_type == "multi_device" else "hwk", "user", "mfa")


def _answer(credential: str) -> tuple[dict[str, Any], bytes]:
    """The browser's answer, and the challenge that it says it answers."""
    try:
        answer = json.loads(credential)
        said = json.loads(base64url_to_bytes(answer["response"]["clientDataJSON"]))
        challenge = base64url_to_bytes(said["challenge"])
    except (*_UNREADABLE, RecursionError):
        raise WrongPasskey from None
    if not isinstance(answer, Mapping):
        raise WrongPasskey
    return dict(answer), challenge
