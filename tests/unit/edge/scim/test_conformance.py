"""The conformance checker of SCIM through our function."""

import httpx
import pytest

from tests.directories import connect
from tests.scim_checker import checked
from tests.world import running

BASE = "https://platforma.test/scim/v2"


@pytest.mark.filterwarnings("default")
def test_the_conformance_checker_finds_no_fault(monkeypatch):
    with running(monkeypatch) as world:
        mine = connect(world, world.tenant())

        def handle(request: httpx.Request) -> httpx.Response:
            headers = {name.title(): text for name, text in request.headers.items() if name != "authorization"}
            path = request.url.raw_path.decode()
            reply = world.call(request.method, path, token=mine.token, raw=request.content or None, headers=headers)
            return httpx.Response(reply.status, headers=reply.headers, text=reply.text)

        with httpx.Client(base_url=BASE, transport=httpx.MockTransport(handle)) as http:
            well, faults = checked(http)

    assert faults == {}
    assert well >= 118
