"""What SSO and provisioning refuse, beside what any area does."""

from platforma.kernel.errors import Conflict, Forbidden, Unprocessable


class DomainTaken(Conflict):
    """The domain is proved, or vouched for, by another tenant."""

    code = "domain_taken"
    public = "This domain belongs to another tenant."


class DomainNotProved(Conflict):
    """No record with the challenge was found; the claim stands as it was."""

    code = "domain_not_proved"
    public = "The DNS record with the challenge was not found. A new record may take some minutes to be seen."


class SetupLinkOver(Forbidden):
    """A link by which a connection is configured that opens nothing, or nothing any more."""

    code = "setup_link_over"
    public = "This link is not valid any more. Ask whoever sent it to you for another one."


class MetadataRefused(Unprocessable):
    """What was given, or found at its URL, is no metadata of a SAML identity provider that can be used."""

    code = "metadata_refused"
    public = "This is no usable metadata of a SAML identity provider."


class SignInRefused(Forbidden):
    """
    The identity provider was believed, and yet nobody is signed in.

    *why* says in plain words what was wrong, to those who look after the connection; the person is not told.
    """

    code = "sign_in_refused"
    public = "You cannot sign in here in this way. Your administrator can say why, by the reference below."

    def __init__(self, why: str) -> None:
        super().__init__(None, why=why)
        self.why = why


class OfAnotherDomain(SignInRefused):
    """The address is none of the domains that the connection signs people in from, or the tenant has not proved its."""

    code = "domain_refused"


class NotProvisioned(SignInRefused):
    """There is no such user, and the connection makes none."""

    code = "not_provisioned"


class SignsInOtherwise(SignInRefused):
    """There is a user of this address who has a password, a passkey or an identity elsewhere: it may be another person."""

    code = "signs_in_otherwise"


class NotActive(SignInRefused):
    """The user is suspended."""

    code = "not_active"


class WasRemoved(SignInRefused):
    """The user was removed."""

    code = "user_removed"


class AnswerRejected(Unprocessable):
    """What an OpenID provider answered proves nothing, or it did not answer. *why* says in plain words what was wrong."""

    code = "answer_rejected"
    public = "The answer of the identity provider was not accepted."

    def __init__(self, why: str) -> None:
        super().__init__(None, why=why)
        self.why = why


class NothingToTry(Conflict):
    """The connection has no provider yet, or is switched off: a sign-in by it could only end where it begins."""

    code = "connection_not_in_use"
    public = "There is nothing to try: give the connection a provider, and switch it on, first."


class TestFirst(Conflict):
    """Nobody is made to sign in by a connection of which no trial has passed."""

    code = "test_first"
    public = "A test sign-in must pass first, with the settings as they are."


class BreakGlassNeeded(Conflict):
    """Nobody could sign in without the provider."""

    code = "break_glass_needed"
    public = "Name an active administrator with a password in break_glass, who may still sign in without the provider."


class ProviderRequired(Forbidden):
    """The person's domain signs in by its provider alone."""

    code = "sso_required"
    public = "People of your organisation sign in through its identity provider."
