"""Why an answer of an identity provider is not believed: told in the administrator's log, and not to the browser."""

from platforma.kernel.errors import Unprocessable


class AssertionRejected(Unprocessable):
    """A response that proves nothing. *why* says in plain words what was wrong with it."""

    code = "assertion_rejected"
    public = "The answer of the identity provider was not accepted."

    def __init__(self, why: str) -> None:
        super().__init__(None, why=why)
        self.why = why
