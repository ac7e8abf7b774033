"""A user joins a tenant."""

from platforma.identity.changes import made
from platforma.identity.email_address import parse_email
from platforma.identity.fields import parse_attributes, parse_name, parse_roles
from platforma.identity.links import LinkRequest, LinkRequests
from platforma.identity.model import User
from platforma.identity.passwords import hash_password, parse_password
from platforma.identity.ports import Directory
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id


def create_user(
    tenant_id: str,
    *,
    email: object,
    name: object,
    password: object = None,
    roles: object = (),
    attributes: object = None,
    known_roles: frozenset[str],
    directory: Directory,
    attempt: Attempt,
    invitations: LinkRequests | None = None,
) -> User:
    """
    A new user; without a password an invited one, until a password is set, to whom *invitations* has a link mailed.

    The link is asked for first: it is never forgotten, and comes to nothing where the rest fails.

    Raises:
        Unprocessable: a field is not valid.
        EmailTaken: another user of the tenant has the address.
        Unavailable: the invitation could not be queued, or the user not be kept; there is no user.
    """
    address, person = parse_email(email), parse_name(name)
    given = parse_roles(roles, known_roles=known_roles)
    described = parse_attributes({} if attributes is None else attributes)
    hashed = None
    if password is not None:
        hashed = hash_password(parse_password(password, about=(address, person)))
    user = User(
        id=new_id("usr"),
        tenant_id=tenant_id,
        email=address,
        name=person,
        status="invited" if hashed is None else "active",
        created_at=attempt.clock(),
        roles=given,
        attributes=described,
        has_password=hashed is not None,
    )
    if invitations is not None and hashed is None:
        invitations.put(LinkRequest(tenant_id, user_id=user.id))
    directory.add(user, hashed, attempt.event("success", resource=user.id, resource_type="user", changes=made(user)))
    return user
