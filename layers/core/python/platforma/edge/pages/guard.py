"""
What a form of ours carries: proof that it was made for the browser that sends it, and, between password and code, who it is.

Both are MACs over the browser's own cookie, which no other site can read or plant (`__Host-`). Besides, a browser that says
where a request comes from (`Sec-Fetch-Site`) must say: from us.
"""

import hmac
import secrets as entropy
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from platforma.edge.browser import BROWSER, cookie
from platforma.edge.pages.texts import TEXTS
from platforma.kernel.errors import Forbidden
from platforma.kernel.ids import is_id

STEP_LIFETIME = timedelta(minutes=5)
SETUP_LIFETIME = timedelta(hours=1)
_LONGEST_TOKEN = 200


class StaleForm(Forbidden):
    """A form of another browser's, of another site's, or of none."""

    code = "stale_form"
    public = TEXTS["stale_form"][0]


def browser_of(headers: Mapping[str, str]) -> tuple[str, bool]:
    """What the browser holds, or shall hold from now on; and whether that is new."""
    held = cookie(headers, BROWSER)
    return (held, False) if held and len(held) == 43 and held.isascii() else (entropy.token_urlsafe(32), True)


def form_token(key: bytes, browser: str) -> str:
    """What every form of this browser's carries."""
    return _mac(key, "form", browser)


def require_own_form(key: bytes, headers: Mapping[str, str], shown: str | None) -> str:
    """
    The browser that sends a form of its own.

    Raises:
        StaleForm: it is not.
    """
    browser, new = browser_of(headers)
    same_site = headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
    if new or not same_site or not hmac.compare_digest((shown or "").encode(), form_token(key, browser).encode()):
        raise StaleForm
    return browser


def step_token(key: bytes, browser: str, tenant_id: str, user_id: str, flow: str, now: datetime) -> str:
    """Says, to us alone, that in this browser the user's password was shown in this flow; good for five minutes."""
    shown = str(int(now.timestamp() * 1000))
    return f"{user_id}.{shown}.{_mac(key, 'step', browser, tenant_id, user_id, flow, shown)}"


def read_step_token(key: bytes, text: str, browser: str, tenant_id: str, flow: str, now: datetime) -> tuple[str, datetime]:
    """
    The id of the user whose password was shown, and when it was.

    Raises:
        StaleForm: not by this browser, not here, or too long ago.
    """
    user_id, _, rest = text.partition(".")
    shown, _, mac = rest.partition(".")
    good = hmac.compare_digest(mac.encode(), _mac(key, "step", browser, tenant_id, user_id, flow, shown).encode())
    if not good or not is_id(user_id, "usr"):
        raise StaleForm
    at = datetime.fromtimestamp(int(shown) / 1000, UTC)
    if at + STEP_LIFETIME <= now:
        raise StaleForm
    return user_id, at


def entered_token(key: bytes, browser: str, user_code: str) -> str:
    """Says, to us alone, that in this browser a device's code was entered; it does not say that the device still waits."""
    return f"{user_code}.{_mac(key, 'device', browser, user_code)}"


def read_entered_token(key: bytes, shown: str, browser: str) -> str | None:
    """The device's code that was entered in this browser; None for any other text."""
    user_code, _, mac = shown[:_LONGEST_TOKEN].partition(".")
    return user_code if hmac.compare_digest(mac.encode(), _mac(key, "device", browser, user_code).encode()) else None


def setup_token(key: bytes, browser: str, connection_id: str, link_id: str, until: datetime) -> str:
    """Says, to us alone, that this browser may use a setup link of a connection until then, while the link is good."""
    end = str(int(until.timestamp()))
    return f"{link_id}.{end}.{_mac(key, 'setup', browser, connection_id, link_id, end)}"


def read_setup_token(key: bytes, shown: str, browser: str, connection_id: str, now: datetime) -> str | None:
    """The id of the link; None for any other text, another browser or connection, and when it is over."""
    link_id, _, rest = shown[:_LONGEST_TOKEN].partition(".")
    end, _, mac = rest.partition(".")
    mine = _mac(key, "setup", browser, connection_id, link_id, end)
    good = mac.isascii() and hmac.compare_digest(mac, mine)
    return link_id if good and now.timestamp() < int(end) else None


def _mac(key: bytes, *about: str) -> str:
    parts = (part.encode("utf-8", "surrogatepass") for part in about)
    return hmac.new(key, b"page\0" + b"".join(len(part).to_bytes(4, "big") + part for part in parts), sha256).hexdigest()
