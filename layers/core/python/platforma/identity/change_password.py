"""A user changes its own password."""

from dataclasses import replace

from platforma.identity.errors import WrongPassword
from platforma.identity.lockout import settled
from platforma.identity.model import User
from platforma.identity.passwords import hash_password, parse_password, verify_password
from platforma.identity.ports import Directory
from platforma.identity.read_user import read_user
from platforma.identity.throttle import AttemptCounts, charge_attempt
from platforma.kernel.errors import Conflict, FieldError, Unauthenticated, Unprocessable
from platforma.kernel.events import Attempt


def change_password(
    tenant_id: str,
    user_id: str,
    *,
    current_password: object,
    new_password: object,
    directory: Directory,
    counts: AttemptCounts,
    attempt: Attempt,
    staying: str | None = None,
) -> User:
    """
    The user, whose password is now *new_password*. A wrong *current_password* and having none take the same time.

    All their sessions are over by it, but for the one of the id *staying*.

    Raises:
        NotFound: this tenant has no user of this id.
        RateLimited: too many attempts at the current password.
        WrongPassword: *current_password* is not the user's, or it has none.
        Unprocessable: *new_password* is not good enough, or is the current one.
        Conflict: another change of the password came first.
    """
    user = read_user(tenant_id, user_id, directory=directory)
    subject = f"user:{user_id}"
    charge_attempt(tenant_id, subject, counts=counts, now=attempt.clock())
    stored = directory.password_hash(tenant_id, user_id)
    try:
        verify_password(current_password if isinstance(current_password, str) else "", stored)
    except Unauthenticated:
        raise WrongPassword from None
    counts.forget(tenant_id, subject)
    chosen = parse_password(new_password, about=(user.email, user.name), pointer="/new_password")
    if chosen == current_password:
        raise Unprocessable(errors=[FieldError("/new_password", "Must not be the current password.")])
    hashed = hash_password(chosen)

    def write() -> User:
        before = read_user(tenant_id, user_id, directory=directory)
        if directory.password_hash(tenant_id, user_id) != stored:
            raise Conflict("The password was changed in the meantime.")
        after = replace(before, version=before.version + 1)
        event = attempt.event("success", resource=user_id, resource_type="user")
        directory.set_password(before, after, hashed, event, staying=staying)
        return after

    return settled(write, again_if_stale=True)
