"""The pages that people see. Whoever sends one of their forms must hold what the page before gave to that browser."""

from platforma.edge.endpoints.row import Endpoint, row

_HTML = "text/html; charset=utf-8"
_FORM = 16 << 10


def _page(path: str, name: str, title: str) -> tuple[Endpoint, Endpoint]:
    return (
        row("GET", path, f"oauth.{name}.get", "oauth_pages", "public", title, produces=_HTML, wire="page", also=(303,)),
        row(
            *("POST", path, f"oauth.{name}.submit", "oauth_pages", "public", f"{title}: the form"),
            produces=_HTML,
            wire="page",
            consumes="form",
            max_body=_FORM,
            status=303,
            also=(200, 403, 404, 409, 422, 429),
        ),
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    *_page("/login", "login", "Sign in"),
    *_page("/forgot-password", "forgot_password", "Have a link mailed to set a password by"),
    *_page("/reset", "reset", "Set a new password by a mailed link"),
    *_page("/invitation", "invitation", "Accept an invitation by setting a password"),
    *_page("/consent", "consent", "Allow a client what it asks for"),
    *_page("/device", "device", "Allow a device what it asks for (RFC 8628)"),
    *_page("/factors", "factors", "One's own ways to sign in"),
    *_page("/sign-out", "sign_out", "Sign out"),
    row(
        *("GET", "/assets/style.css", "oauth.page_style.get", "oauth_pages", "public", "The pages' style"),
        produces="text/css; charset=utf-8",
    ),
    row(
        *("GET", "/assets/passkey.js", "oauth.page_script.get", "oauth_pages", "public", "The pages' script"),
        produces="text/javascript; charset=utf-8",
    ),
)
