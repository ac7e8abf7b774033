"""What can be wrong with a caller's ciphertext, and with a job that moves records on."""

from platforma.kernel.errors import Conflict, Unprocessable


class NotOurs(Unprocessable):
    """A ciphertext that is damaged, another tenant's, or was made with another context: which of them is not said."""

    code = "does_not_decrypt"
    public = "The ciphertext does not decrypt with this context."


class Moved(Conflict):
    """Another worker has gone on from here."""
