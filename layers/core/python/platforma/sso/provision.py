"""
From what an identity provider says of somebody to a user here: found, linked, made or refused; with the mapping's roles.

A user is found by identity (connection and subject) and never by address alone. By address one is linked once, and only a
user who has no other way in. Both happen only for a domain that is the connection's and that its tenant has proved.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from platforma.identity.changes import changed, made
from platforma.identity.email_address import folded, parse_email
from platforma.identity.errors import EmailTaken, IdentityTaken, UserRemoved, WouldLockOut
from platforma.identity.fields import MAX_NAME
from platforma.identity.lockout import AdministrationOf, Afterwards, could_administer, require_administrator, settled
from platforma.identity.model import Managed, MappedRole, User
from platforma.identity.ports import Directory, Groups
from platforma.kernel.errors import PreconditionFailed, Unprocessable
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.sso.errors import NotActive, NotProvisioned, OfAnotherDomain, SignsInOtherwise, WasRemoved
from platforma.sso.mapping import Granted, map_groups
from platforma.sso.model import Connection
from platforma.sso.ports import Domains
from platforma.sso.profile import Profile

if TYPE_CHECKING:  # what keeps factors comes in a layer that not every function of the area carries
    from platforma.identity.factors.ports import FactorStore

Foreseen = Literal["found", "linked", "made"]
"""What becomes of whom a provider names: a user that it is known to be, one that it becomes, or a new one."""
_REMOVED = "The user was removed here; an administrator or a directory can make them again."
_NEVER = datetime.min.replace(tzinfo=UTC)
LAST_ADMINISTRATOR = "kept_last_administrator"
"""The reason in the event of a sign-in that would have taken the last administrator's role, and did not."""


@dataclass(frozen=True, slots=True)
class People:
    """Where users are found, made and changed."""

    directory: Directory
    groups: Groups
    factors: "FactorStore"
    domains: Domains
    administration: AdministrationOf
    known_roles: frozenset[str]


def provision(connection: Connection, subject: str, profile: Profile, *, people: People, attempt: Attempt) -> User:
    """
    The user whom the connection's provider calls *subject*, as *profile* and the mapping have them from now on.

    What of it differs from before is one write, with an event that tells of it.

    Raises:
        OfAnotherDomain: the address is not of a domain that is the connection's, and its tenant's.
        NotProvisioned, SignsInOtherwise, NotActive, WasRemoved: as they say.
        Unavailable: nothing was changed.
    """
    identity = people.directory.identity(connection.tenant_id, connection.id, subject)
    granted = _known(map_groups(connection, profile.groups), people.known_roles)

    def write() -> User:
        try:
            return _provisioned(connection, identity, profile, granted, people, attempt)
        except (EmailTaken, IdentityTaken):  # made or linked by another sign-in in this moment: look again
            raise PreconditionFailed from None

    return settled(write, again_if_stale=True)


def _provisioned(
    connection: Connection,
    identity: str,
    profile: Profile,
    granted: tuple[Granted, ...],
    people: People,
    attempt: Attempt,
) -> User:
    turn = people.directory.turn(connection.tenant_id)
    before = _owner(connection, identity, people.directory)
    if before is not None:
        require_domain(profile.email or before.email, connection, people.domains)
        after = _followed(connection, before, profile, people.directory)
    else:
        address = require_domain(profile.email, connection, people.domains)
        before = people.directory.user_by_email(connection.tenant_id, address)
        if before is None:
            return _made(connection, identity, address, profile, granted, people, attempt)
        _require_linkable(connection, before, people)
        after = replace(before, identities=(identity,))
    if before.status == "suspended":
        raise NotActive("The user is suspended.")
    after = replace(after, status="active")
    if before.managed_by != "scim":  # what a directory says of groups goes before what a sign-in says
        after = replace(after, mapped=_mapped(connection, before.mapped, granted, attempt.clock()))
    if after == before:
        return before
    return _written(before, after, turn, people, attempt)


def foresee(
    connection: Connection, subject: str, profile: Profile, *, people: People
) -> tuple[Foreseen, User | None, tuple[MappedRole, ...]]:
    """
    What `provision` would do now, and has not done: the user as it is, if there is one, and the roles of connections then.

    Raises:
        SignInRefused: it would not do it.
    """
    identity = people.directory.identity(connection.tenant_id, connection.id, subject)
    granted = _known(map_groups(connection, profile.groups), people.known_roles)
    user = _owner(connection, identity, people.directory)
    found: Foreseen = "found"
    if user is not None:
        require_domain(profile.email or user.email, connection, people.domains)
    else:
        address = require_domain(profile.email, connection, people.domains)
        user = people.directory.user_by_email(connection.tenant_id, address)
        if user is None:
            _require_makes(connection)
            if people.directory.owner_of(connection.tenant_id, identity) is not None:
                raise WasRemoved(_REMOVED)
            return "made", None, _mapped(connection, (), granted, _NEVER)
        _require_linkable(connection, user, people)
        found = "linked"
    if user.status == "suspended":
        raise NotActive("The user is suspended.")
    if user.managed_by == "scim":
        return found, user, user.mapped
    return found, user, _mapped(connection, user.mapped, granted, user.created_at)


def require_domain(email: str | None, connection: Connection, domains: Domains) -> str:
    """
    The address in its kept form, of a domain that is the connection's and that its tenant has proved (or was vouched for).

    Raises:
        OfAnotherDomain: it is not.
    """
    try:
        address = parse_email(email)
    except Unprocessable:
        missing = "The provider sent no e-mail address, and one is needed for a first sign-in."
        raise OfAnotherDomain("What the provider sent is no e-mail address." if email else missing) from None
    domain = address.rpartition("@")[2]
    if domain not in connection.domains:
        raise OfAnotherDomain(f"The connection is not for the domain {domain}.")
    if domains.owner(domain) != connection.tenant_id:
        raise OfAnotherDomain(f"The domain {domain} is not proved.")
    return address


def _owner(connection: Connection, identity: str, directory: Directory) -> User | None:
    user_id = directory.owner_of(connection.tenant_id, identity)
    user = None if user_id is None else directory.user(connection.tenant_id, user_id)
    return user if user is not None and identity in user.identities else None


def _require_linkable(connection: Connection, user: User, people: People) -> None:
    """That nobody else can be the user: no password, no passkey or app, no identity, no directory of another connection."""
    factors = people.factors.read(user.tenant_id, user.id)
    has_factor = factors.second or bool(factors.passkeys)
    if user.has_password or user.identities or has_factor or user.connection_id not in (None, connection.id):
        raise SignsInOtherwise("A user of this address signs in in another way already: nobody is linked to them.")


def _followed(connection: Connection, user: User, profile: Profile, directory: Directory) -> User:
    """The user with address and name as the provider has them now, where sign-ins keep these."""
    if user.managed != Managed("jit", connection.id):
        return user
    address = parse_email(profile.email) if profile.email else user.email
    if folded(address) != folded(user.email) and directory.user_by_email(user.tenant_id, address) is not None:
        address = user.email  # another user's: nobody is renamed to somebody else
    return replace(user, email=address, name=_name(profile) or user.name)


def _made(
    connection: Connection,
    identity: str,
    address: str,
    profile: Profile,
    granted: tuple[Granted, ...],
    people: People,
    attempt: Attempt,
) -> User:
    _require_makes(connection)
    now = attempt.clock()
    user = User(
        id=new_id("usr"),
        tenant_id=connection.tenant_id,
        email=address,
        name=_name(profile) or address,
        status="active",
        created_at=now,
        mapped=_mapped(connection, (), granted, now),
        identities=(identity,),
        managed=Managed("jit", connection.id),
    )
    attempt.principal_type, attempt.principal_id, attempt.user_id = "user", user.id, user.id
    event = attempt.event("success", resource=user.id, resource_type="user", changes=made(user), part=3)
    try:
        people.directory.add(user, None, event, unless_removed=True)
    except UserRemoved:
        raise WasRemoved(_REMOVED) from None
    return user


def _require_makes(connection: Connection) -> None:
    if not connection.provisioning.jit:
        raise NotProvisioned("There is no such user, and the connection does not make users at their first sign-in.")


def _written(before: User, after: User, turn: int, people: People, attempt: Attempt) -> User:
    reason = None
    held: int | None = turn
    judge = people.administration(before.tenant_id)
    if before.given != after.given and could_administer(before, judge):
        afterwards = Afterwards(users={before.id: after})
        try:
            require_administrator(
                before.tenant_id, afterwards, directory=people.directory, groups=people.groups, administration=judge
            )
        except WouldLockOut:
            lost = [each for each in before.mapped if each.role in judge.roles and each not in after.mapped]
            after, reason = replace(after, mapped=(*after.mapped, *lost)), LAST_ADMINISTRATOR
            if after == before:
                return before
    else:
        held = None
    after = replace(after, version=before.version + 1)
    attempt.principal_type, attempt.principal_id, attempt.user_id = "user", after.id, after.id
    changes = changed(before, after)
    if before.identities != after.identities:
        changes["after"]["linked"] = True
    event = attempt.event("success", resource=after.id, resource_type="user", changes=changes, reason=reason, part=3)
    people.directory.replace(before, after, event, turn=held)
    return after


def _mapped(
    connection: Connection, before: tuple[MappedRole, ...], granted: Iterable[Granted], now: datetime
) -> tuple[MappedRole, ...]:
    """The roles of connections: of this one those *granted* (one for the first of its reasons), of others as before."""
    first: dict[str, Granted] = {}
    for each in granted:
        first.setdefault(each.role, each)
    stand = {(each.role, each.group): each for each in before if each.connection_id == connection.id}
    mine = [
        stand.get((each.role, each.group)) or MappedRole(each.role, connection.id, each.group, now)
        for each in first.values()
    ]
    kept = [each for each in before if each.connection_id != connection.id]
    if not connection.provisioning.deprovision_on_group_loss:
        kept += [each for each in stand.values() if each.role not in first]
    return tuple(sorted((*kept, *mine), key=lambda each: (each.role, each.connection_id)))


def _known(granted: tuple[Granted, ...], known_roles: frozenset[str]) -> tuple[Granted, ...]:
    """Without roles that were deleted since the mapping was written."""
    return tuple(each for each in granted if each.role in known_roles)


def _name(profile: Profile) -> str:
    """The name as it can be shown; nothing where there is none."""
    shown = "".join(each for each in profile.name or "" if unicodedata.category(each) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFC", shown.strip())[:MAX_NAME].strip()
