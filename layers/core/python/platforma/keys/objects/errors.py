"""What can be wrong with an object or a part of one."""

from platforma.kernel.errors import Conflict, Unprocessable


class DigestMismatch(Unprocessable):
    """The body is not what the request's own digest says (RFC 9530)."""

    code = "digest_mismatch"
    public = "The body does not have the digest that was sent with it."


class UploadEnded(Conflict):
    """The upload was completed or aborted, or its day is over."""

    code = "upload_ended"
    public = "The upload has ended."


class PartMismatch(Unprocessable):
    """A part that was not sent, or has another hash."""

    code = "part_mismatch"
    public = "A part is not what was sent."
