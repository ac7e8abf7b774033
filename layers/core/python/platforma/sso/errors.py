"""What SSO and provisioning refuse, beside what any area does."""

from platforma.kernel.errors import Conflict, Unprocessable


class DomainTaken(Conflict):
    """The domain is proved, or vouched for, by another tenant."""

    code = "domain_taken"
    public = "This domain belongs to another tenant."


class DomainNotProved(Conflict):
    """No record with the challenge was found; the claim stands as it was."""

    code = "domain_not_proved"
    public = "The DNS record with the challenge was not found. A new record may take some minutes to be seen."


class MetadataRefused(Unprocessable):
    """What was given, or found at its URL, is no metadata of a SAML identity provider that can be used."""

    code = "metadata_refused"
    public = "This is no usable metadata of a SAML identity provider."
