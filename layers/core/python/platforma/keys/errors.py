"""What can be wrong with a key or with what it protects. No message and no fact holds key material or plaintext."""

from platforma.kernel.errors import Broken, Conflict, Unauthenticated


class DoesNotOpen(Broken):
    """A ciphertext or wrapped key that is damaged, or that was made for another tenant, purpose or record."""


class NoSuchKey(Broken):
    """The tenant has no key: it was never created, or it was destroyed, and with it all that it protected."""


class UnknownPepper(Unauthenticated):
    """A credential names a pepper that does not exist: it is forged, or its pepper was withdrawn."""


class UnknownSigningKey(Unauthenticated):
    """A token names a signing key that is not, or no longer, ours."""


class SigningKeysMoved(Conflict):
    """Another signing key was added in the meantime."""
