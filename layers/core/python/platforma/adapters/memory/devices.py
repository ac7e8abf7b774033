"""Devices' requests in memory."""

from dataclasses import replace
from threading import Lock

from platforma.adapters.memory.authorizations import MemoryGrants
from platforma.kernel.errors import AlreadyUsed
from platforma.kernel.events import Event
from platforma.oauth.backchannel.model import Logout
from platforma.oauth.device.model import DeviceAuthorization
from platforma.oauth.grants.model import Grant


class MemoryDevices:
    """`platforma.oauth.device.ports.Devices`."""

    def __init__(self, grants: MemoryGrants) -> None:
        self._grants = grants
        self._kept: dict[str, DeviceAuthorization] = {}
        self._lock = Lock()

    def keep(self, asked: DeviceAuthorization) -> None:
        """Keep a new one."""
        with self._lock:
            if asked.hash in self._kept or any(each.user_code == asked.user_code for each in self._kept.values()):
                raise AlreadyUsed
            self._kept[asked.hash] = asked

    def get(self, device_hash: str) -> DeviceAuthorization | None:
        """The one of this device code."""
        return self._kept.get(device_hash)

    def by_user_code(self, user_code: str) -> DeviceAuthorization | None:
        """The one that a person is asked to type this code for."""
        return next((each for each in list(self._kept.values()) if each.user_code == user_code), None)

    def note_poll(self, asked: DeviceAuthorization) -> None:
        """Keep when it was asked after."""
        with self._lock:
            kept = self._kept[asked.hash]
            if kept.standing == "pending":
                self._kept[asked.hash] = replace(kept, polled_at=asked.polled_at, interval=asked.interval)

    def decide(self, asked: DeviceAuthorization, event: Event) -> None:
        """Keep the person's decision."""
        with self._lock:
            kept = self._kept[asked.hash]
            if kept.standing != "pending":
                raise AlreadyUsed
            self._kept[asked.hash] = replace(asked, polled_at=kept.polled_at, interval=kept.interval)
            self._grants.revocations.enter(event)

    def redeem(self, asked: DeviceAuthorization, grant: Grant, event: Event, logout: Logout | None = None) -> None:
        """Spend it, and keep the grant that it becomes."""
        with self._lock:
            if self._kept[asked.hash].standing != "allowed":
                raise AlreadyUsed
            self._kept[asked.hash] = replace(self._kept[asked.hash], standing="spent")
            self._grants.keep(grant, logout)
            self._grants.revocations.enter(event)
