"""
What is mailed, in English and German at once: nobody's language is known before they have set a password.

Plain text alone: a link that can be read is one that can be judged.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent to one person."""

    subject: str
    text: str


class Mailer(Protocol):
    """What sends mail."""

    def send(self, to: str, letter: Letter) -> None:
        """
        Hand the letter over.

        Raises:
            Unavailable: it was not taken.
        """


_INVITATION = """\
You have been invited. Set your password here within one hour:

{url}

If you do not expect this, do nothing.

--

Sie wurden eingeladen. Setzen Sie hier innerhalb einer Stunde Ihr Passwort:

{url}

Falls Sie das nicht erwarten, tun Sie nichts.
"""
_RESET = """\
A new password was asked for your account. Set it here within one hour:

{url}

If it was not you, do nothing: your password stays as it is.

--

Für Ihr Konto wurde ein neues Passwort angefordert. Setzen Sie es hier innerhalb einer Stunde:

{url}

Falls Sie das nicht waren, tun Sie nichts: Ihr Passwort bleibt, wie es ist.
"""


def letter(purpose: str, url: str) -> Letter:
    """The letter that carries a link of this purpose."""
    if purpose == "invitation":
        return Letter("Your invitation / Ihre Einladung", _INVITATION.format(url=url))
    return Letter("Your new password / Ihr neues Passwort", _RESET.format(url=url))
