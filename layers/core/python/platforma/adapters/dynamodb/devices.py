"""
What devices ask for, in the Credential table.

    DEVICE#{hash of the device code} / DEVICE    the request, until a day after it is over
    USERCODE#{user code} / USERCODE              which one a person is asked to type the code for
"""

from datetime import datetime, timedelta
from typing import Any, cast

from pynamodb.attributes import ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist

from platforma.adapters.dynamodb.grants import puts_grant
from platforma.adapters.dynamodb.logouts import puts_logout
from platforma.adapters.dynamodb.single import answering
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.kernel.errors import AlreadyUsed
from platforma.kernel.events import Event
from platforma.oauth.backchannel.model import Logout
from platforma.oauth.device.model import DeviceAuthorization, Standing
from platforma.oauth.grants.model import Grant

_DEVICE, _USER_CODE = "DEVICE", "USERCODE"
_SWEPT_AFTER = timedelta(days=1)


class DeviceItem(Item):
    """A device's request."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    user_code = UnicodeAttribute()
    tenant_id = UnicodeAttribute()
    client_id = UnicodeAttribute()
    scope: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute)
    audience = UnicodeAttribute()
    created_at = UnicodeAttribute()
    expires_at = UnicodeAttribute()
    standing = UnicodeAttribute()
    interval = NumberAttribute()
    polled_at = UnicodeAttribute(null=True)
    user_id = UnicodeAttribute(null=True)
    session_id = UnicodeAttribute(null=True)
    amr: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, null=True)
    auth_time = UnicodeAttribute(null=True)


class UserCodeItem(Item):
    """Which device a user code is of."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    device = UnicodeAttribute()


class DynamoDBDevices:
    """`platforma.oauth.device.ports.Devices`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def keep(self, asked: DeviceAuthorization) -> None:
        """Keep a new one."""
        transaction = Transaction(self._tables)
        transaction.put(_item(asked), DeviceItem.pk.does_not_exist(), refused=AlreadyUsed())
        pointer = UserCodeItem(f"{_USER_CODE}#{asked.user_code}", _USER_CODE, device=asked.hash, expires=_swept(asked))
        transaction.put(pointer, UserCodeItem.pk.does_not_exist(), refused=AlreadyUsed())
        transaction.commit()

    def get(self, device_hash: str) -> DeviceAuthorization | None:
        """The one of this device code."""
        with answering():
            try:
                return _asked(DeviceItem.get(_pk(device_hash), _DEVICE, consistent_read=True))
            except DoesNotExist:
                return None

    def by_user_code(self, user_code: str) -> DeviceAuthorization | None:
        """The one that a person is asked to type this code for."""
        with answering():
            try:
                pointer = UserCodeItem.get(f"{_USER_CODE}#{user_code}", _USER_CODE, consistent_read=True)
            except DoesNotExist:
                return None
        return self.get(pointer.device)

    def note_poll(self, asked: DeviceAuthorization) -> None:
        """Keep when it was asked after."""
        assert asked.polled_at is not None
        noted = [DeviceItem.polled_at.set(asked.polled_at.isoformat()), DeviceItem.interval.set(asked.interval)]
        transaction = Transaction(self._tables)
        place = DeviceItem(_pk(asked.hash), _DEVICE)
        transaction.update(place, noted, DeviceItem.standing == "pending", refused=AlreadyUsed())
        try:
            transaction.commit()
        except AlreadyUsed:  # the person decided in between: the next poll will tell
            return

    def decide(self, asked: DeviceAuthorization, event: Event) -> None:
        """Keep the person's decision."""
        decided = [DeviceItem.standing.set(asked.standing)]
        if asked.user_id is not None and asked.session_id is not None and asked.auth_time is not None:
            decided += [
                DeviceItem.user_id.set(asked.user_id),
                DeviceItem.session_id.set(asked.session_id),
                DeviceItem.amr.set(list(asked.amr)),
                DeviceItem.auth_time.set(asked.auth_time.isoformat()),
            ]
        transaction = Transaction(self._tables, self._outbox)
        place = DeviceItem(_pk(asked.hash), _DEVICE)
        transaction.update(place, decided, DeviceItem.standing == "pending", refused=AlreadyUsed())
        transaction.commit(event)

    def redeem(self, asked: DeviceAuthorization, grant: Grant, event: Event, logout: Logout | None = None) -> None:
        """Spend it, and keep the grant that it becomes."""
        transaction = Transaction(self._tables, self._outbox)
        place, spent = DeviceItem(_pk(asked.hash), _DEVICE), [DeviceItem.standing.set("spent")]
        transaction.update(place, spent, DeviceItem.standing == "allowed", refused=AlreadyUsed())
        puts_grant(transaction, grant)
        puts_logout(transaction, logout, grant.created_at)
        transaction.commit(event)


def _pk(device_hash: str) -> str:
    return f"{_DEVICE}#{device_hash}"


def _swept(asked: DeviceAuthorization) -> int:
    return int((asked.expires_at + _SWEPT_AFTER).timestamp())


def _item(asked: DeviceAuthorization) -> DeviceItem:
    return DeviceItem(
        _pk(asked.hash),
        _DEVICE,
        user_code=asked.user_code,
        tenant_id=asked.tenant_id,
        client_id=asked.client_id,
        scope=list(asked.scope),
        audience=asked.audience,
        created_at=asked.created_at.isoformat(),
        expires_at=asked.expires_at.isoformat(),
        standing=asked.standing,
        interval=asked.interval,
        expires=_swept(asked),
    )


def _asked(item: DeviceItem) -> DeviceAuthorization:
    return DeviceAuthorization(
        hash=item.pk.removeprefix(_pk("")),
        user_code=item.user_code,
        tenant_id=item.tenant_id,
        client_id=item.client_id,
        scope=tuple(item.scope),
        audience=item.audience,
        created_at=datetime.fromisoformat(item.created_at),
        expires_at=datetime.fromisoformat(item.expires_at),
        standing=cast("Standing", item.standing),
        interval=int(item.interval),
        polled_at=datetime.fromisoformat(item.polled_at) if item.polled_at else None,
        user_id=item.user_id,
        session_id=item.session_id,
        amr=tuple(item.amr or ()),
        auth_time=datetime.fromisoformat(item.auth_time) if item.auth_time else None,
    )
