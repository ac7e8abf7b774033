"""What can go wrong with rules, beside a request that is not valid."""

from platforma.kernel.errors import Conflict


class Moved(Conflict):
    """Something else changed the tenant's rules in the meantime; nothing was written, and it may be tried again."""

    code = "conflict"
    public = "The tenant's rules changed at the same time. Try again."


class WouldLockOut(Conflict):
    """Afterwards no active user who can sign in without SSO could surely administer the tenant."""

    code = "would_lock_out"
    public = "This would leave the tenant without an administrator."
