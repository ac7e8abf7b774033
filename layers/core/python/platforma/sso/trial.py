"""
A sign-in that is only tried: the whole way to the provider and back, and then what it would have done, which is not done.

It begins with a link that an administrator is given, good once and for ten minutes. One that passes is noted with the
connection: without it nobody can be made to sign in there.
"""

import base64
import hmac
import json
import secrets as entropy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from platforma.identity.model import User
from platforma.kernel.clock import Clock
from platforma.kernel.errors import AlreadyUsed, NotFound, PreconditionFailed
from platforma.kernel.events import Attempt
from platforma.oauth.ports import SingleUse
from platforma.sso.changes import connection_event
from platforma.sso.errors import NothingToTry
from platforma.sso.mapping import Granted, map_groups
from platforma.sso.model import Connection
from platforma.sso.ports import Connections
from platforma.sso.profile import Profile, read_profile
from platforma.sso.provision import Foreseen, People, foresee
from platforma.sso.sign_in import Said

LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a sign-in would have done."""

    profile: Profile
    claims: Mapping[str, Any]
    granted: tuple[Granted, ...]
    foreseen: Foreseen
    user: User | None
    gained: tuple[str, ...]
    lost: tuple[str, ...]


def trial_link(connection: Connection, *, key: bytes, url: str, clock: Clock, setup: bool = False) -> tuple[str, datetime]:
    """
    Where the trial begins, and until when. *setup*: by whom a setup link was sent, who is told of no roles.

    Raises:
        NothingToTry: the connection is a draft, or switched off.
    """
    if connection.draft or not connection.enabled:
        raise NothingToTry
    until = clock().replace(microsecond=0) + LIFETIME
    told = {"id": entropy.token_urlsafe(16), "of": connection.id, "until": int(until.timestamp()), "setup": setup}
    document = json.dumps(told)
    body = base64.urlsafe_b64encode(document.encode()).rstrip(b"=").decode()
    return f"{url}/sso/{connection.id}/start?test={body}.{_mac(key, body)}", until


def spend_trial_link(connection: Connection, token: str, *, key: bytes, single_use: SingleUse, clock: Clock) -> bool:
    """
    Use the link up; whether it was made for the holder of a setup link.

    Raises:
        NotFound: it is none of ours, another connection's, too old, or used.
    """
    body, _, mac = token.partition(".")
    gone = NotFound("This link is not valid any more. Ask for another one.")
    if len(body) > 512 or not body.isascii() or not hmac.compare_digest(mac.encode(), _mac(key, body).encode()):
        raise gone
    told = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    until = datetime.fromtimestamp(told["until"], UTC)
    if told["of"] != connection.id or clock() >= until:
        raise gone
    try:
        single_use.spend(f"sso test {told['id']}", until=until)
    except AlreadyUsed:
        raise gone from None
    return bool(told.get("setup"))


def try_sign_in(connection: Connection, said: Said, *, people: People) -> Trial:
    """
    What a sign-in would do now, if this were one.

    Raises:
        Unprocessable, SignInRefused: nobody would be signed in.
    """
    profile = read_profile(said.attributes, connection.attribute_mapping)
    foreseen, user, mapped = foresee(connection, said.subject, profile, people=people)
    before = frozenset(user.mapped_roles) if user is not None else frozenset[str]()
    after = frozenset(each.role for each in mapped)
    granted = tuple(each for each in map_groups(connection, profile.groups) if each.role in people.known_roles)
    gained, lost = tuple(sorted(after - before)), tuple(sorted(before - after))
    return Trial(profile, said.attributes, granted, foreseen, user, gained, lost)


def note_trial(connection: Connection, *, connections: Connections, clock: Clock, attempt: Attempt) -> None:
    """Note that a trial passed; not where the connection changed in between, since it was tried as it was."""
    after = replace(connection, tested_at=clock(), version=connection.version + 1)
    try:
        connections.replace(connection, after, connection_event(attempt, connection, after))
    except PreconditionFailed:
        return


def _mac(key: bytes, body: str) -> str:
    return hmac.new(key, b"platforma sso trial v1\0" + body.encode("utf-8", "surrogatepass"), sha256).hexdigest()
