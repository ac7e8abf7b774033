"""The conformance checker of RFC 7643 and RFC 7644, `scim2-tester`, through our function."""

from typing import Any

import httpx
import pytest
from scim2_client.client import BaseSyncSCIMClient
from scim2_tester import Status, check_server, utils

from tests.directories import connect
from tests.world import World, running

BASE = "https://platforma.test/scim/v2"
GATEWAYS = {
    "service_provider_config_endpoint_methods",
    "resource_types_endpoint_methods",
    "schemas_endpoint_methods",
    "random_url",
}
"""What the gateway answers where no function runs: an unknown path or method is its own 404, no 405 and none of SCIM's."""


class Client(BaseSyncSCIMClient):
    """The checker's client, over httpx."""

    def __init__(self, http: httpx.Client) -> None:
        super().__init__()
        self._http = http

    def request(self, method: str, url: str, **more: Any) -> httpx.Response:
        return self._http.request(method, url, **more)

    def _parse_json(self, response: Any) -> Any:
        return response.json()

    def _stays_under_base_url(self, endpoint: str) -> bool:
        return str(self._http.build_request("GET", endpoint).url).startswith(BASE)


def test_the_conformance_checker_finds_no_fault(monkeypatch):
    cleanup = utils.ResourceManager.cleanup

    def once(self: Any) -> None:  # it deletes what it deleted before, again and again
        cleanup(self)
        self.resources.clear()

    monkeypatch.setattr(utils.ResourceManager, "cleanup", once)
    with running(monkeypatch) as world:
        results = check(world)

    faults = {each.title: each.reason for each in results if each.status not in (Status.SUCCESS, Status.SKIPPED)}
    assert {title: reason for title, reason in faults.items() if title not in GATEWAYS} == {}
    assert sum(each.status == Status.SUCCESS for each in results) >= 114


def check(world: World) -> list[Any]:
    mine = connect(world, world.tenant())

    def handle(request: httpx.Request) -> httpx.Response:
        headers = {name.title(): text for name, text in request.headers.items() if name != "authorization"}
        path = request.url.raw_path.decode()
        try:
            reply = world.call(request.method, path, token=mine.token, raw=request.content or None, headers=headers)
        except AssertionError:  # no function serves it
            return httpx.Response(404, json={})
        return httpx.Response(reply.status, headers=reply.headers, text=reply.text)

    with httpx.Client(base_url=BASE, transport=httpx.MockTransport(handle)) as http:
        client = Client(http)
        client.discover()
        return check_server(client)


pytestmark = pytest.mark.filterwarnings("default")
