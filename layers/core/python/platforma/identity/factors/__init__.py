"""
Passkeys, authenticator apps, recovery codes.

What needs libraries, which are a layer of their own, is imported when it is first asked for: who shows factors or takes them
away does without.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from platforma.identity.factors.errors import TooManyPasskeys, WrongCode, WrongPasskey
from platforma.identity.factors.model import TOTP, Factors, Passkey, RelyingParty
from platforma.identity.factors.ports import FactorStore
from platforma.identity.factors.recovery import renew_recovery_codes
from platforma.identity.factors.remove import read_factors, remove_factor, reset_factors

if TYPE_CHECKING:
    from platforma.identity.factors.passkeys import check_passkey, enrol_passkey, enrolment_options, sign_in_options
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
    "reset_factors",
    "sign_in_options",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{'passkeys' if 'passkey' in name or 'options' in name else 'totp'}"), name)
