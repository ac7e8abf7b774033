"""What may go wrong with streams."""

from platforma.kernel.errors import Conflict, Unavailable


class Unreached(Unavailable):
    """A receiver did not take a message."""

    code = "receiver_unreached"


class TooManyStreams(Conflict):
    """The tenant has as many streams as it may."""

    code = "too_many_streams"
