"""What is refused to people with devices."""

from platforma.kernel.errors import NotFound


class UnknownUserCode(NotFound):
    """No device that waits has this code; what was wrong with it is not said."""

    code = "unknown_user_code"
    public = "No device waits for this code. Codes are good for ten minutes."
