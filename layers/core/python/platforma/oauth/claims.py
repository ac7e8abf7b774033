"""The standard claims of a person, by the scopes that were granted (OpenID Connect Core sections 5.1, 5.4 and 5.5)."""

from collections.abc import Iterable, Mapping

from platforma.identity.model import User

BY_SCOPE: Mapping[str, tuple[str, ...]] = {"profile": ("name",), "email": ("email",)}
"""What each scope lets a client read. Only what is known of a person is ever claimed."""
CLAIMS = (
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "acr", "amr", "sid"),
    *(name for names in BY_SCOPE.values() for name in names),
)


def claims_of(user: User, *, scope: Iterable[str], names: Iterable[str] | None = None) -> dict[str, str]:
    """
    The claims of *user* that *scope* gives; of those, with *names*, the ones that were asked for by name.

    A name asked for by the `claims` parameter is no wider than the scope that carries it, since the scope is what the
    person was asked about.
    """
    given = {name for each in scope for name in BY_SCOPE.get(each, ())}
    known = {"name": user.name, "email": user.email}
    return {name: known[name] for name in known if name in given and (names is None or name in set(names))}
