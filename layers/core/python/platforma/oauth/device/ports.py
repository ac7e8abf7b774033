"""Where devices' requests are kept. Every read is consistent; each method may raise `Unavailable`."""

from typing import Protocol

from platforma.kernel.events import Event
from platforma.oauth.backchannel.model import Logout
from platforma.oauth.device.model import DeviceAuthorization
from platforma.oauth.grants.model import Grant


class Devices(Protocol):
    """Devices' requests, by the hash of the device's code and by the person's code."""

    def keep(self, asked: DeviceAuthorization) -> None:
        """
        Keep a new one.

        Raises:
            AlreadyUsed: its user code stands for another that has not been swept.
        """

    def get(self, device_hash: str) -> DeviceAuthorization | None:
        """The one of this device code, expired or not."""

    def by_user_code(self, user_code: str) -> DeviceAuthorization | None:
        """The one that a person is asked to type this code for, expired or not."""

    def note_poll(self, asked: DeviceAuthorization) -> None:
        """Keep when it was asked after and how long to wait, while it is pending."""

    def decide(self, asked: DeviceAuthorization, event: Event) -> None:
        """
        Keep the person's decision.

        Raises:
            AlreadyUsed: it was decided already.
        """

    def redeem(self, asked: DeviceAuthorization, grant: Grant, event: Event, logout: Logout | None = None) -> None:
        """
        Spend it, and keep the grant that it becomes, and *logout*, where its client is to be told of the session's end.

        Raises:
            AlreadyUsed: it is not allowed, or spent.
        """
