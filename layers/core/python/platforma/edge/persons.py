"""What a person may ask of us: all that is known of them, and to be forgotten."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from platforma.audit.erasure import Erasure
from platforma.audit.ports import PersonKeyStore
from platforma.audit.query import Query
from platforma.edge.call import Call
from platforma.edge.schemas.identity import RoleSourceView, UserView
from platforma.identity.model import Group, RoleSource, User
from platforma.kernel.errors import NotFound
from platforma.kernel.ids import is_id

Record = TypeVar("Record")
_PAGE = 100
_OF_THE_ACTOR = ("ip_address", "user_agent")


@dataclass(frozen=True, slots=True)
class Kept:
    """
    What one area keeps of a person beside the profile: a section of the archive, which goes with the person.

    Both take tenant and user id; *told* gives records as the API shows them, *forget* may be done again. There is nothing to
    forget where all of it expires within days, and is worth nothing without the person.
    """

    told: Callable[[str, str], Iterable[Mapping[str, Any]]]
    forget: Callable[[str, str], object] = lambda _tenant_id, _user_id: None


def every(page: Callable[..., tuple[Sequence[Record], str | None]], tenant_id: str, user_id: str) -> Iterator[Record]:
    """All of a person's records that *page* lists."""
    after = None
    while True:
        found, after = page(tenant_id, user_id, limit=_PAGE, after=after)
        yield from found
        if after is None:
            return


def shown_users(users: Sequence[User], several: Callable[[str, tuple[str, ...]], Iterable[Group]]) -> list[dict[str, Any]]:
    """*users* of one tenant as the API shows them, each with those of its groups that there still are."""
    named = tuple({group_id for user in users for group_id in user.groups})
    alive = {group.id for group in several(users[0].tenant_id, named)} if named else frozenset[str]()
    return [UserView.of(replace(user, groups=tuple(each for each in user.groups if each in alive))) for user in users]


def events_of_person(call: Call, user_id: str) -> Query:
    """What the person did, what was done to them and what was asked about them, newest first, one page of it."""
    return Query(call.tenant_id, about=user_id, limit=call.parameters.limit, after=call.parameters.cursor)


def archive(
    call: Call,
    user: User,
    roles: Sequence[RoleSource],
    kept: Mapping[str, Kept],
    events: Sequence[dict[str, Any]],
    next_cursor: str | None,
) -> dict[str, Any]:
    """One page of the archive: on the first one what is kept of the person, on each one events."""
    sources = [RoleSourceView.of(one) for one in roles]
    first = call.parameters.cursor is None
    return {
        "user": UserView.of(user),
        "roles": sources,
        "kept": {name: list(map(dict, one.told(user.tenant_id, user.id))) for name, one in kept.items()} if first else {},
        "events": [_told_to(user.id, event) for event in events],
        "next_cursor": next_cursor,
    }


def _told_to(user_id: str, event: dict[str, Any]) -> dict[str, Any]:
    """The event without what is another person's: the address and agent of whoever else acted."""
    return event if event["user_id"] == user_id else {**event, **dict.fromkeys(_OF_THE_ACTOR)}


def erase_person(
    call: Call,
    *,
    delete: Callable[[], None],
    kept: Mapping[str, Kept],
    ask: Callable[[], Erasure],
    persons: PersonKeyStore,
) -> dict[str, Any]:
    """
    Delete the person with all that is kept of them, then have them erased from the logs.

    Who was deleted before is erased all the same, and whoever finds it half done goes on with it.

    Raises:
        NotFound: the tenant has none of this id, and its log never told of one.
        Conflict: the erasure was asked for before.
        WouldLockOut: the person is the last administrator who can sign in.
    """
    user_id = call.path["id"]
    told_of = is_id(user_id, "usr") and bool(persons.find(call.tenant_id, [user_id]))
    with suppress(NotFound) if told_of else nullcontext():
        delete()
    for one in kept.values():
        one.forget(call.tenant_id, user_id)
    return ask().as_json()
