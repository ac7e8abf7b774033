"""What identity refuses, beside what any area does."""

from typing import Literal

from platforma.kernel.errors import Conflict, FieldError, Forbidden, NotFound, Unprocessable


class EmailTaken(Conflict):
    """Another user of the tenant has this address (compared case-folded, in NFKC)."""

    code = "email_taken"
    public = "A user with this e-mail address exists already."


class UserRemoved(Forbidden):
    """Somebody removed the user, and a sign-in does not bring them back: they are made by hand, or by a directory, again."""

    code = "user_removed"
    public = "This user was removed."


class IdentityTaken(Conflict):
    """The identity at the provider is another user's."""

    code = "identity_taken"
    public = "This identity belongs to another user."


class GroupNameTaken(Conflict):
    """Another group of the tenant has this name."""

    code = "group_name_taken"
    public = "A group with this name exists already."


class KeptByDirectory(Conflict):
    """A directory names the group and says who is in it; by hand it is given roles, or deleted."""

    code = "kept_by_directory"
    public = "A directory keeps this group: change it there."


class WouldLockOut(Conflict):
    """Afterwards nobody could administer the tenant any more (policy, lock-out guard)."""

    code = "would_lock_out"
    public = "This would leave the tenant without an active administrator who can sign in."


class TurnTaken(Conflict):
    """Another write that takes rights away came first; what was judged on must be looked at again."""

    code = "turn_taken"
    public = "Another change came first. Try again."


class LinkSpent(NotFound):
    """A one-time link that opens nothing, or nothing any more."""

    code = "link_spent"
    public = "This link is not valid any more."


class NotYetAccepted(Conflict):
    """An invited user becomes active by setting a password, or by signing in in another way; nobody else makes it so."""

    code = "not_yet_accepted"
    public = "The user has not accepted the invitation yet."


class WrongPassword(Forbidden):
    """The current password given is not the user's."""

    code = "wrong_password"
    public = "The current password is wrong."


Weakness = Literal["characters", "short", "long", "common"]


class WeakPassword(Unprocessable):
    """A password that is not good enough; *weakness* says why in one word, for who says it in other words."""

    def __init__(self, weakness: Weakness, error: FieldError) -> None:
        super().__init__(errors=[error])
        self.weakness = weakness
