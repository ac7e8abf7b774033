"""An order that ended badly, as OpenBao tells of it: without the authorizations, which it has forgotten."""

from types import SimpleNamespace

from acme import client, messages

from platforma.adapters.acme import ACME
from platforma.certificates.ports import OrderState

URL = "https://ca.test/order/1"
ENDED = {"status": "invalid", "authorizations": None, "finalize": f"{URL}/finalize", "identifiers": []}


class Network:
    """Answers every question with the order."""

    def post(self, *_: object, **__: object) -> SimpleNamespace:
        return SimpleNamespace(json=lambda: ENDED)


def test_an_order_without_authorizations_is_known_as_ended():
    authority = ACME("https://ca.test/directory", dict)
    authority._made = client.ClientV2(messages.Directory.from_json({"newNonce": "https://ca.test/nonce"}), Network())

    authority.answer(URL)

    assert authority.state(URL) == OrderState("invalid", "The CA ended the order.")
