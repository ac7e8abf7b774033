"""API keys: their text, their issue, and every check of one until its end."""

from platforma.apikeys.change import change_key
from platforma.apikeys.expiry_notices import announce_expiries
from platforma.apikeys.forget import forget_keys, keys_of_owner
from platforma.apikeys.issue import Bound, KeyRequest, bound_by, issue_key
from platforma.apikeys.leak_signature import verify_report
from platforma.apikeys.leaks import Leak, LeakResponse, get_leak_response, report_leaks, set_leak_response
from platforma.apikeys.model import APIKey, Charge, Code, Holder, IssuedKey, RateLimit, SharedLimit
from platforma.apikeys.ports import Keys, Limits, LimitSettings
from platforma.apikeys.rate_limit import Leases, Limiter, charge_key
from platforma.apikeys.read import get_key, list_keys
from platforma.apikeys.revoke import revoke_key
from platforma.apikeys.rotate import rotate_key
from platforma.apikeys.scan import key_format
from platforma.apikeys.shared_limits import (
    SharedLimits,
    delete_limit,
    get_limit,
    set_limit,
    tenant_holder,
)
from platforma.apikeys.verify import KeyCheck, check_key, verify_key

__all__ = [
    "APIKey",
    "Bound",
    "Charge",
    "Code",
    "Holder",
    "IssuedKey",
    "KeyCheck",
    "KeyRequest",
    "Keys",
    "Leak",
    "LeakResponse",
    "Leases",
    "LimitSettings",
    "Limiter",
    "Limits",
    "RateLimit",
    "SharedLimit",
    "SharedLimits",
    "announce_expiries",
    "bound_by",
    "change_key",
    "charge_key",
    "check_key",
    "delete_limit",
    "forget_keys",
    "get_key",
    "get_leak_response",
    "get_limit",
    "issue_key",
    "key_format",
    "keys_of_owner",
    "list_keys",
    "report_leaks",
    "revoke_key",
    "rotate_key",
    "set_leak_response",
    "set_limit",
    "tenant_holder",
    "verify_key",
    "verify_report",
]
