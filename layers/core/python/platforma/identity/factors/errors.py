"""What factors refuse."""

from platforma.kernel.errors import Conflict, Forbidden


class WrongCode(Forbidden):
    """A code that is not good now, or was used; which of the two is not said."""

    code = "wrong_code"
    public = "The code is not valid. Wait for the next one, or use a recovery code."


class WrongPasskey(Forbidden):
    """A passkey's answer that does not hold, whatever is wrong with it."""

    code = "wrong_passkey"
    public = "This passkey could not be used here."


class TooManyPasskeys(Conflict):
    """No more passkeys for one person."""

    code = "too_many_passkeys"
    public = "Remove a passkey before adding another."
