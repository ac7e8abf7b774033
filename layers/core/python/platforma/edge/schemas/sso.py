"""Connections to identity providers, and domains."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from platforma.edge.schemas.common import Body, Name, Timestamp, View

Text = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$")]
URL = Annotated[str, StringConstraints(min_length=1, max_length=2048)]
RoleName = Annotated[str, StringConstraints(min_length=1, max_length=64)]
DomainName = Annotated[str, StringConstraints(min_length=1, max_length=253)]
Domains = Annotated[list[DomainName], Field(max_length=50)]
ProviderSecret = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
AttributeMapping = Annotated[dict[Text, Text], Field(max_length=10)]


class SAML(Body):
    """An identity provider's metadata, as it is or by where it stands; left out of a change, it stays."""

    metadata_xml: Annotated[str, StringConstraints(min_length=1, max_length=512 * 1024)] | None = None
    metadata_url: URL | None = None
    idp_initiated: bool = False
    allow_cbc: bool = False


class OIDC(Body):
    """Our registration with an OpenID provider. The secret is kept in Vault and never shown."""

    issuer: URL
    client_id: Text
    client_secret: ProviderSecret | None = None


class OIDCPatch(Body):
    """What changes of it; a new issuer needs a secret of its own. A null secret goes: our keys authenticate us."""

    issuer: URL | None = None
    client_id: Text | None = None
    client_secret: ProviderSecret | None = None


class Mapping(Body):
    """Members of the provider's *group* have *role*; `prefix` and `glob` (`*`, `?`) match several groups."""

    group: Text
    role: RoleName
    match: Literal["exact", "prefix", "glob"] = "exact"


Mappings = Annotated[list[Mapping], Field(max_length=200)]


class ProvisioningRules(Body):
    """What a sign-in or a directory may do to users."""

    jit: bool = False
    default_roles: Annotated[list[RoleName], Field(max_length=50)] = []
    deprovision_on_group_loss: bool = True


class ConnectionCreate(Body):
    """
    A connection to be made: settings of the name that its type has. A *draft* has none: they come by a change or by a setup
    link, and until then nobody signs in by it.
    """

    name: Name
    type: Literal["saml", "oidc"]
    draft: bool = False
    domains: Domains = []
    saml: SAML | None = None
    oidc: OIDC | None = None
    attribute_mapping: AttributeMapping = {}
    group_mappings: Mappings = []
    provisioning: ProvisioningRules = ProvisioningRules()


class ConnectionPatch(Body):
    """
    What changes of a connection; lists and the attribute mapping are replaced whole, the rest member by member.

    *enforced*: people of its domains sign in by it alone, but for the users of *break_glass*; it takes a test that passed.
    """

    name: Name | None = None
    enabled: bool | None = None
    enforced: bool | None = None
    break_glass: Annotated[list[Text], Field(max_length=10)] | None = None
    domains: Domains | None = None
    saml: SAML | None = None
    oidc: OIDCPatch | None = None
    attribute_mapping: AttributeMapping | None = None
    group_mappings: Mappings | None = None
    provisioning: ProvisioningRules | None = None


class SAMLView(View):
    """An identity provider as its metadata describes it."""

    entity_id: str
    certificates: list[str]
    redirect_url: str | None
    post_url: str | None
    logout_redirect_url: str | None
    logout_post_url: str | None
    wants_signed_requests: bool
    metadata_url: str | None
    refreshed_at: Timestamp | None
    idp_initiated: bool
    allow_cbc: bool


class OIDCView(View):
    """An OpenID provider, without the secret."""

    issuer: str
    client_id: str
    has_secret: bool


class MappingView(View):
    """A group mapping."""

    group: str
    match: str
    role: str


class ProvisioningView(View):
    """What a sign-in or a directory may do to users."""

    jit: bool
    default_roles: list[str]
    deprovision_on_group_loss: bool


class ConnectionView(View):
    """A connection."""

    id: str
    name: str
    type: str
    draft: bool
    enabled: bool
    tested_at: Timestamp | None
    enforced: bool
    break_glass: list[str]
    domains: list[str]
    saml: SAMLView | None
    oidc: OIDCView | None
    attribute_mapping: dict[str, str]
    group_mappings: list[MappingView]
    provisioning: ProvisioningView
    created_at: Timestamp


class TrialLink(View):
    """Where a trial begins."""

    url: str
    expires_at: Timestamp


class Maker(View):
    """Who made a link: with them it ends."""

    type: str
    id: str


class SetupLinkView(View):
    """A link by which a connection is configured, without its address. *opened_at* is when it was last opened."""

    id: str
    status: Literal["open", "expired", "revoked", "finished", "replaced"]
    created_by: Maker
    created_at: Timestamp
    expires_at: Timestamp
    opened_at: Timestamp | None
    ended_at: Timestamp | None


class SetupLinkCreated(SetupLinkView):
    """A new link; `url` is shown this once."""

    url: str


class SetupLinkList(View):
    """A connection's links, the newest first, at most fifty; those that are over are shown for a week."""

    items: list[SetupLinkView]
    next_cursor: str | None


class SignInSeen(View):
    """A sign-in."""

    reference: str
    at: Timestamp
    user_id: str


class FailureSeen(View):
    """A sign-in that failed: *reference* is what the person was shown, *why* is in plain words."""

    reference: str
    at: Timestamp
    code: str
    why: str


class CertificateSeen(View):
    """A certificate that the provider may sign with; `ending` within 30 days."""

    sha256: str
    not_after: Timestamp
    status: Literal["good", "ending", "expired"]


class DomainSeen(View):
    """A domain of the connection, and whether it is the tenant's."""

    domain: str
    owned: bool


class HealthView(View):
    """How a connection fares; sign-ins and failures are those of seven days, the newest first."""

    status: Literal["ok", "failing", "unused"]
    tested_at: Timestamp | None
    last_sign_ins: list[SignInSeen]
    failures: list[FailureSeen]
    certificates: list[CertificateSeen]
    domains: list[DomainSeen]


class ConnectionList(View):
    """A page of connections."""

    items: list[ConnectionView]
    next_cursor: str | None


class MappingTest(Body):
    """Attributes of an assertion or claims of an ID token; *groups*, where given, stand for what they say of groups."""

    attributes: Annotated[dict[str, Any], Field(max_length=200)] = {}
    groups: Annotated[list[Text], Field(max_length=1000)] | None = None


class Match(View):
    """A role, and why: the *mapping* (its place in the connection's list) by a group, or by default."""

    role: str
    source: Literal["mapping", "default"]
    group: str | None
    mapping: int | None


class MappingTested(View):
    """Who that would be, and with which roles."""

    email: str | None
    name: str | None
    groups: list[str]
    roles: list[str]
    matches: list[Match]


class DomainCreate(Body):
    """A domain to be claimed; *tenant_id* and *vouched* are a platform client's alone."""

    model_config = ConfigDict(json_schema_extra={"dependentRequired": {"tenant_id": ["vouched"], "vouched": ["tenant_id"]}})

    domain: DomainName
    tenant_id: Text | None = None
    vouched: Literal[True] | None = None


class DomainView(View):
    """A claim, and the record that proves it."""

    domain: str
    status: Literal["pending", "proved", "vouched"]
    txt_name: str
    txt_value: str
    created_at: Timestamp
    proved_at: Timestamp | None
    checked_at: Timestamp | None
    failed_since: Timestamp | None


class DomainList(View):
    """A page of claims."""

    items: list[DomainView]
    next_cursor: str | None
