"""What people do before pages, and what tests look at afterwards."""

import jwt

from tests.world import PASSWORD


def fill(page, email, password=PASSWORD):
    """Answer the sign-in form."""
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def allow(page):
    """Say yes to what a client asks for."""
    page.get_by_role("button", name="Allow", exact=True).click()


def claims(told):
    """What a token says; that it is genuine is shown elsewhere."""
    return jwt.decode(told, options={"verify_signature": False})
