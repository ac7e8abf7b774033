"""What it takes to turn what people granted into tokens."""

from dataclasses import dataclass

from platforma.identity.ports import Directory, Groups
from platforma.kernel.clock import Clock
from platforma.keys.ports import Secrets
from platforma.oauth.access_token import SigningKeys
from platforma.oauth.authorization.ports import Authorizations, Grants
from platforma.oauth.device.ports import Devices
from platforma.oauth.sessions.ports import Revocations


@dataclass(frozen=True, slots=True)
class Granting:
    """The ports of the grants that a person stands behind; each is used as it is named."""

    authorizations: Authorizations
    grants: Grants
    devices: Devices
    revocations: Revocations
    directory: Directory
    groups: Groups
    secrets: Secrets
    signing_keys: SigningKeys
    issuer: str
    clock: Clock
