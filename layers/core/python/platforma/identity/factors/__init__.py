"""Passkeys, authenticator apps, recovery codes. Imported by who needs them only: their libraries are a layer of its own."""

from platforma.identity.factors.errors import TooManyPasskeys, WrongCode, WrongPasskey
from platforma.identity.factors.model import TOTP, Factors, Passkey
from platforma.identity.factors.passkeys import (
    RelyingParty,
    check_passkey,
    enrol_passkey,
    enrolment_options,
    sign_in_options,
)
from platforma.identity.factors.ports import FactorStore
from platforma.identity.factors.recovery import renew_recovery_codes
from platforma.identity.factors.remove import read_factors, remove_factor
from platforma.identity.factors.totp import check_code, confirm_totp, enrol_totp

__all__ = [
    "TOTP",
    "FactorStore",
    "Factors",
    "Passkey",
    "RelyingParty",
    "TooManyPasskeys",
    "WrongCode",
    "WrongPasskey",
    "check_code",
    "check_passkey",
    "confirm_totp",
    "enrol_passkey",
    "enrol_totp",
    "enrolment_options",
    "read_factors",
    "remove_factor",
    "renew_recovery_codes",
    "sign_in_options",
]
