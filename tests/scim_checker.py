"""The conformance checker of RFC 7643 and RFC 7644, `scim2-tester`, over httpx."""

from typing import Any

import httpx
import pytest
from scim2_client.client import BaseSyncSCIMClient
from scim2_tester import Status, check_server, utils


class Client(BaseSyncSCIMClient):
    """The checker's client, by one of httpx whose base is that of SCIM."""

    def __init__(self, http: httpx.Client) -> None:
        super().__init__()
        self._http = http

    def request(self, method: str, url: str, **more: Any) -> httpx.Response:
        return self._http.request(method, url, **more)

    def _parse_json(self, response: Any) -> Any:
        return response.json()

    def _stays_under_base_url(self, endpoint: str) -> bool:
        return str(self._http.build_request("GET", endpoint).url).startswith(str(self._http.base_url))


def checked(http: httpx.Client) -> tuple[int, dict[str, str]]:
    """How many checks found all well, and the faults that the others found."""
    cleanup = utils.ResourceManager.cleanup

    def once(self: Any) -> None:  # it deletes what it deleted before, again and again
        cleanup(self)
        self.resources.clear()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils.ResourceManager, "cleanup", once)
        client = Client(http)
        client.discover()
        results = check_server(client)
    faults = {each.title: str(each.reason) for each in results if each.status not in (Status.SUCCESS, Status.SKIPPED)}
    well = sum(each.status == Status.SUCCESS for each in results)
    return well, faults
