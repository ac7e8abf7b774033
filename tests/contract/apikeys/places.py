"""The stores of API keys and limits, in memory and in DynamoDB, as one suite sees them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pynamodb.attributes import UnicodeAttribute

from platforma.adapters.dynamodb.tables import Item
from platforma.adapters.dynamodb.versions import VersionsItem, make_versions
from platforma.adapters.memory.apikeys import MemoryLimitSettings
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.apikeys import RateLimit, rotate_key
from platforma.kernel.errors import (
    AlreadyUsed,
    PlatformaError,
)

LIMIT = RateLimit(7, 60)
BOTH = {"credential": "credential", "policy": "credential"}


class EventItem(Item):
    table = "credential"

    class Meta:
        table_name = "unbound"

    action = UnicodeAttribute()


class Outbox:
    """An event is an item here too; and one whose id was used refuses the transaction that it is in."""

    def items(self, event):
        return [(EventItem(event.id, "EVENT", action=event.action), EventItem.pk.does_not_exist(), AlreadyUsed())]


class Recorded:
    def __init__(self):
        self.ids = set()

    def __call__(self, event):
        if event.id in self.ids:
            raise AlreadyUsed
        self.ids.add(event.id)


@dataclass
class Places:
    keys: object
    limits: object
    settings: object
    notices: object
    leaks: object
    data_keys: MemoryDataKeys | None = None


def moved(world, settings):
    if isinstance(settings, MemoryLimitSettings):
        return settings.moved
    make_versions(world.tenant_id)
    return VersionsItem.get(world.tenant_id, "VERSIONS").policy_version


def race(do, times=20):
    """What became of *times* attempts at once: answers, or errors of ours."""

    def attempt(number):
        try:
            return do(number)
        except PlatformaError as error:
            return error

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(attempt, range(times)))


def won(results):
    return [result for result in results if not isinstance(result, PlatformaError)]


def rotate(world, key_id, **more):
    return rotate_key(world.tenant_id, key_id, created_by="usr", secrets=world.secrets, **world.use(), **more)
