"""
The items of the Identity table that tell of tenants, users and groups.

| pk | sk | |
|---|---|---|
| the platform's id | `TENANT#{tenant id}` | a tenant |
| tenant id | `USER#{user id}` | a user; its groups' ids stand in it |
| tenant id | `EMAIL#{HMAC of the folded address}` | whose address it is: holds it unique, finds its user |
| tenant id | `IDENTITY#{connection id}#{HMAC of the subject}` | whose identity at a provider it is |
| tenant id | `GROUP#{group id}` | a group |
| tenant id | `GROUPNAME#{SHA-256 of the folded name}` | whose name it is |
| tenant id | `MEMBER#{group id}#{user id}` | lists a group's members |
| tenant id | `FACTORS#{user id}` | a user's passkeys, authenticator app and recovery codes, sealed |
| tenant id | `ATTEMPTS#{HMAC of account or address}` | password attempts charged to it |

Of a removed user stay the items that said whose its address and identities were, marked `removed`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeVar, cast

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.exceptions import DoesNotExist, PynamoDBException
from pynamodb.expressions.condition import Condition

from platforma.adapters.dynamodb.tables import Item, cause_of
from platforma.adapters.dynamodb.transaction import Transaction
from platforma.adapters.dynamodb.versions import SK, VersionsItem
from platforma.identity.errors import TurnTaken
from platforma.identity.model import Managed, Page
from platforma.kernel.errors import Unavailable

_EVALUATED = 1000
"""How many items one page of a filtered list looks at, at most (a page's length more)."""

I = TypeVar("I", bound=Item)  # noqa: E741  an item
T = TypeVar("T")


class _Identity(Item):
    class Meta:
        table_name = "unbound"


class TenantItem(_Identity):
    """A tenant."""

    table = "identity"
    name = UnicodeAttribute()
    status = UnicodeAttribute()
    created_at = UnicodeAttribute()
    purge_after = UnicodeAttribute(null=True)
    version = NumberAttribute()
    logo = UnicodeAttribute(null=True)


class UserItem(_Identity):
    """
    A user. *person*, *described* and *password* are sealed; *email_key* is the sk of its address, *givers* JSON.

    *mapped* has the roles of connections as `[role, connection id, group or null, time]`, and *mapped_roles* their names.
    *managed* is `jit#{connection id}` or `scim#{connection id}`; *provisioned* is what the latter's directory says, sealed.
    """

    table = "identity"
    person = BinaryAttribute(legacy_encoding=False)
    described = BinaryAttribute(legacy_encoding=False, null=True)
    password = BinaryAttribute(legacy_encoding=False, null=True)
    email_key = UnicodeAttribute()
    status = UnicodeAttribute()
    roles = UnicodeSetAttribute(null=True)
    groups = UnicodeSetAttribute(null=True)
    mapped: Any = JSONAttribute(null=True)
    mapped_roles = UnicodeSetAttribute(null=True)
    identities = UnicodeSetAttribute(null=True)
    managed = UnicodeAttribute(null=True)
    provisioned = BinaryAttribute(legacy_encoding=False, null=True)
    givers = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute()
    version = NumberAttribute()


class OwnedItem(_Identity):
    """An address, an identity or a name, and whose it is: at most one of each, by a conditional put. *removed*: was."""

    table = "identity"
    owner = UnicodeAttribute()
    removed = BooleanAttribute(null=True)


class GroupItem(_Identity):
    """A group. *name_key* is the sk of its name."""

    table = "identity"
    name = UnicodeAttribute()
    name_key = UnicodeAttribute()
    description = UnicodeAttribute()
    roles = UnicodeSetAttribute(null=True)
    managed = UnicodeAttribute(null=True)
    givers = UnicodeAttribute(null=True)
    mapped = UnicodeSetAttribute(null=True)
    external_id = UnicodeAttribute(null=True)
    modified_at = UnicodeAttribute(null=True)
    size = NumberAttribute(null=True)
    unfinished = BooleanAttribute(null=True)
    created_at = UnicodeAttribute()
    version = NumberAttribute()


class MemberItem(_Identity):
    """A user's being in a group, as the group lists it."""

    table = "identity"
    user_id = UnicodeAttribute()


class FactorsItem(_Identity):
    """A user's factors, sealed whole."""

    table = "identity"
    box = BinaryAttribute(legacy_encoding=False)
    version = NumberAttribute()


@contextmanager
def reading() -> Iterator[None]:
    """DynamoDB's refusals of a read, as ours."""
    try:
        yield
    except PynamoDBException as error:
        raise Unavailable(cause=cause_of(error)) from error


def read(cls: type[I], pk: str, sk: str) -> I | None:
    """The item with these keys, read consistently."""
    with reading():
        try:
            return cls.get(pk, sk, consistent_read=True)
        except DoesNotExist:
            return None


def read_page(
    cls: type[I],
    pk: str,
    prefix: str,
    *,
    limit: int,
    after: str | None,
    only: Condition | None = None,
    make: Callable[[list[I]], list[T]],
) -> Page[T]:
    """
    Up to *limit* items below *prefix* that follow *after* and fulfil *only*, read consistently.

    It looks at a bounded number of items, so that a page may be short although more follows.
    """
    found: list[I] = []
    evaluated = 0
    start = None if after is None else _key(pk, prefix + after)
    size = limit if only is None else max(limit, 100)
    with reading():
        pages = cls.query(
            pk, cls.sk.startswith(prefix), only, consistent_read=True, page_size=size, last_evaluated_key=start
        ).page_iter
        for page in pages:
            for position, raw in enumerate(page["Items"]):
                found.append(cls.from_raw_data(raw))
                if len(found) == limit and position + 1 < len(page["Items"]):
                    return Page(tuple(make(found)), found[-1].sk.removeprefix(prefix))
            evaluated += page["ScannedCount"]
            last: Any = page.get("LastEvaluatedKey")
            if last is None:
                return Page(tuple(make(found)), None)
            if len(found) == limit or evaluated >= _EVALUATED:
                return Page(tuple(make(found)), last["sk"]["S"].removeprefix(prefix))
    return Page(tuple(make(found)), None)


def managed_text(managed: Managed | None) -> str | None:
    """How *managed* is kept."""
    return None if managed is None else f"{managed.by}#{managed.connection_id}"


def managed_of(text: str | None) -> Managed | None:
    """What `managed_text` gave."""
    by, _, connection_id = (text or "").partition("#")
    return Managed(cast("Literal['jit', 'scim']", by), connection_id) if connection_id else None


def _key(pk: str, sk: str) -> dict[str, dict[str, Any]]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def moves(
    transaction: Transaction, tenant_id: str, *, policy: bool = False, revocation: bool = False, turn: int | None = None
) -> None:
    """
    Let *transaction* also move the tenant's versions, in one step: a transaction may touch an item only once.

    With a *turn* it is refused unless that is the policy version, and moves it.
    """
    actions: list[Any] = []
    if policy or turn is not None:
        actions.append(VersionsItem.policy_version.add(1))
    if revocation:
        actions.append(VersionsItem.revocation_version.add(1))
    if actions:
        condition = None if turn is None else VersionsItem.policy_version == turn
        refused = None if turn is None else TurnTaken()
        transaction.update(VersionsItem(tenant_id, SK), actions, condition, refused=refused)
