import re

from infra.local import warming
from platforma.apikeys.format import PATTERN, parse
from platforma.edge.endpoints import BY_ROUTE


def test_the_key_that_wakes_has_the_form_of_a_key_and_is_nobodys():
    assert re.fullmatch(PATTERN, warming.forged_key())
    assert parse(warming.forged_key()).checksum == "0" * 11


def test_every_route_is_one_of_the_function_that_it_wakes():
    for function, route in warming.ROUTES.items():
        assert "".join(part.capitalize() for part in BY_ROUTE[route].function.split("_")) + "Function" == function


def test_nobodys_client_has_the_form_of_a_client():
    headers = warming.event(*warming.TOKEN)["headers"]

    assert headers["authorization"].startswith("Basic ")
    assert "authorization" in warming.event("GET", "/v1/tenants")["headers"]
