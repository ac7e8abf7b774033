"""Users as items and back: what is sealed, under which names, and how an address is found again."""

import hmac
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, cast

from platforma.adapters.dynamodb.identity.items import UserItem, managed_of, managed_text
from platforma.identity.email_address import folded
from platforma.identity.model import MappedRole, Standing, User, UserStatus
from platforma.kernel import given
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.events import Event
from platforma.keys.envelope import Envelope
from platforma.keys.ports import Secrets

PURPOSE = "identity"


class People:
    """Seals users under their tenant's key; each part is a record of its own, so that none passes for another."""

    def __init__(self, envelope: Envelope, secrets: Secrets) -> None:
        self._envelope = envelope
        self._secrets = secrets

    def email_sk(self, tenant_id: str, email: str) -> str:
        """The sort key of an address: says nothing of it to who lacks the lookup secret, and is another in each tenant."""
        message = f"email\0{tenant_id}\0{folded(email)}".encode()
        return "EMAIL#" + hmac.digest(self._secrets.secret("lookup"), message, sha256).hex()

    def identity(self, tenant_id: str, connection_id: str, subject: str) -> str:
        """The name of an identity: like an address's, it says nothing of whose it is."""
        message = f"identity\0{tenant_id}\0{connection_id}\0{subject}".encode()
        return f"{connection_id}#" + hmac.digest(self._secrets.secret("lookup"), message, sha256).hex()

    def item(self, user: User, password_hash: str | None, event: Event) -> UserItem:
        """The new user as it is stored; *event* tells who gives it its roles."""
        return UserItem(
            user.tenant_id,
            f"USER#{user.id}",
            person=self.sealed_person(user),
            described=self.sealed_attributes(user),
            password=None if password_hash is None else self.sealed_password(user, password_hash),
            email_key=self.email_sk(user.tenant_id, user.email),
            status=user.status,
            roles=set(user.roles) or None,
            groups=set(user.groups) or None,
            mapped=mapped_list(user) or None,
            mapped_roles={each.role for each in user.mapped} or None,
            identities=set(user.identities) or None,
            managed=managed_text(user.managed),
            givers=given.written(given.carried({}, (), (*user.roles, *user.groups), event)),
            created_at=rfc3339(user.created_at),
            version=user.version,
        )

    def sealed_person(self, user: User) -> bytes:
        """Address and name."""
        return self._seal(user, "person", {"email": user.email, "name": user.name})

    def sealed_attributes(self, user: User) -> bytes | None:
        """The attributes, if there are any."""
        return self._seal(user, "attributes", user.attributes) if user.attributes else None

    def sealed_password(self, user: User, password_hash: str) -> bytes:
        """The password's hash."""
        return self._seal(user, "password", {"hash": password_hash})

    def password_hash(self, item: UserItem) -> str | None:
        """The password's hash, opened."""
        if item.password is None:
            return None
        (document,) = self._open(item.pk, [(_record(_id(item), "password"), item.password)])
        return str(document["hash"])

    def with_password(self, item: UserItem) -> tuple[User, str | None]:
        """The user behind *item* and its password's hash; Vault is asked once for all that is sealed."""
        boxes = [(_record(_id(item), "person"), item.person)]
        boxes += [(_record(_id(item), "attributes"), item.described)] if item.described is not None else []
        boxes += [(_record(_id(item), "password"), item.password)] if item.password is not None else []
        self._open(item.pk, boxes)  # from here on their keys are known
        return self.users([item])[0], self.password_hash(item)

    def rehearse(self, tenant_id: str, place: str) -> None:
        """Ask Vault as often as for a user who is there."""
        self._envelope.rehearse(tenant_id, PURPOSE, place)

    def users(self, items: Sequence[UserItem]) -> list[User]:
        """The users behind items of one tenant, opened together."""
        if not items:
            return []
        boxes = [(_record(_id(item), "person"), item.person) for item in items]
        described = [item for item in items if item.described is not None]
        boxes += [(_record(_id(item), "attributes"), item.described) for item in described]
        opened = self._open(items[0].pk, boxes)
        attributes = dict(zip(map(_id, described), opened[len(items) :], strict=True))
        return [
            User(
                id=_id(item),
                tenant_id=item.pk,
                email=person["email"],
                name=person["name"],
                status=cast("UserStatus", item.status),
                created_at=parse_rfc3339(item.created_at),
                roles=tuple(sorted(item.roles or ())),
                groups=tuple(sorted(item.groups or ())),
                attributes=attributes.get(_id(item), {}),
                has_password=item.password is not None,
                version=int(item.version),
                mapped=tuple(
                    MappedRole(role, connection_id, group, parse_rfc3339(at))
                    for role, connection_id, group, at in item.mapped or ()
                ),
                identities=tuple(sorted(item.identities or ())),
                managed=managed_of(item.managed),
                givers=given.read(item.givers),
            )
            for item, person in zip(items, opened, strict=False)
        ]

    def provisioned(self, item: UserItem) -> dict[str, Any] | None:
        """What the user's directory says of it, if it has one."""
        if item.provisioned is None:
            return None
        (said,) = self._open(item.pk, [(_record(_id(item), "provisioned"), item.provisioned)])
        return said

    def standing(self, item: UserItem) -> Standing:
        """What a decision needs; opens nothing but attributes."""
        attributes: Mapping[str, Any] = {}
        if item.described is not None:
            (attributes,) = self._open(item.pk, [(_record(_id(item), "attributes"), item.described)])
        return bare_standing(item, attributes)

    def _seal(self, user: User, part: str, document: Mapping[str, Any]) -> bytes:
        plaintext = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        return self._envelope.seal(user.tenant_id, PURPOSE, _record(user.id, part), plaintext)

    def _open(self, tenant_id: str, boxes: list[tuple[str, bytes]]) -> list[dict[str, Any]]:
        return [json.loads(plaintext) for plaintext in self._envelope.open_all(tenant_id, PURPOSE, boxes)]


def mapped_actions(before: User, after: User) -> list[Any]:
    """What connections gave the user, as actions on its item."""
    if before.mapped == after.mapped:
        return []
    names = {each.role for each in after.mapped}
    if not names:
        return [UserItem.mapped.remove(), UserItem.mapped_roles.remove()]
    return [UserItem.mapped.set(mapped_list(after)), UserItem.mapped_roles.set(names)]


def bare_standing(item: UserItem, attributes: Mapping[str, Any]) -> Standing:
    """The standing with these attributes; opens nothing."""
    return Standing(
        user_id=_id(item),
        status=cast("UserStatus", item.status),
        has_password=item.password is not None,
        roles=tuple(sorted({*(item.roles or ()), *(item.mapped_roles or ())})),
        groups=tuple(sorted(item.groups or ())),
        attributes=attributes,
    )


def mapped_list(user: User) -> list[list[str | None]]:
    """The roles of connections as they are kept."""
    return [[each.role, each.connection_id, each.group, rfc3339(each.at)] for each in user.mapped]


def givers(before: User, after: User, event: Event) -> Any:
    """What notes who gave the user its roles and memberships."""
    had, has = (*before.roles, *before.groups), (*after.roles, *after.groups)
    text = given.written(given.carried(before.givers, had, has, event))
    return UserItem.givers.remove() if text is None else UserItem.givers.set(text)


def _id(item: UserItem) -> str:
    return item.sk.removeprefix("USER#")


def _record(user_id: str, part: str) -> str:
    return f"{user_id}/{part}"
