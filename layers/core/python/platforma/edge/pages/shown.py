"""A refusal that the person is shown in the page where it happened, and that its event tells of all the same."""

from platforma.edge.answer import Answer
from platforma.kernel.errors import Denied, PlatformaError


class Shown(Denied):
    """*cause*, told by *answer*."""

    def __init__(self, cause: PlatformaError, answer: Answer) -> None:
        super().__init__(cause.detail, **cause.facts)
        self.code = cause.code  # type: ignore[misc]  # the cause's own, for the event
        self.answer = answer
