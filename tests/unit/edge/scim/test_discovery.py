"""What a directory is told can be done, and that there is nothing else."""

import pytest

from tests.directories import USER, refused


def test_what_is_supported_is_told(okta):
    config = okta.call("GET", "/ServiceProviderConfig", expect=200).json

    assert {name for name in ("patch", "filter", "sort", "etag") if config[name]["supported"]} == {
        "patch",
        "filter",
        "sort",
        "etag",
    }
    assert config["changePassword"] == {"supported": False}
    assert config["authenticationSchemes"][0]["type"] == "oauthbearertoken"


def test_types_and_schemas_are_told_by_name(okta):
    for path, names in (("/ResourceTypes", ["User", "Group"]), ("/Schemas", None)):
        listed = okta.call("GET", path, expect=200).json
        assert listed["totalResults"] == len(listed["Resources"])
        assert names is None or [each["id"] for each in listed["Resources"]] == names
        for each in listed["Resources"]:
            assert okta.call("GET", f"{path}/{each['id']}", expect=200).json == each
        refused(okta.call("GET", f"{path}/nothing"), 404)


def test_no_schema_has_a_password(okta):
    user = next(each for each in okta.call("GET", "/Schemas").json["Resources"] if each["id"] == USER)

    assert "password" not in {each["name"] for each in user["attributes"]}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_directory_is_nobody(okta, method):
    refused(okta.call(method, "/Me", {} if method in ("POST", "PUT", "PATCH") else None), 501)


@pytest.mark.parametrize(
    ("paths", "allowed"),
    [
        (("/ServiceProviderConfig", "/ResourceTypes", "/Schemas", f"/Schemas/{USER}", "/ResourceTypes/User"), "GET, HEAD"),
        (("/Users", "/Groups"), "GET, HEAD, POST"),
        (("/Users/x", "/Groups/x"), "GET, HEAD, PUT, PATCH, DELETE"),
        (("/Bulk", "/.search", "/Users/.search", "/Groups/.search"), "POST"),
    ],
)
def test_a_method_that_a_resource_does_not_take_is_a_405_of_the_rfcs_form(okta, paths, allowed):
    for path in paths:
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - set(allowed.split(", ")):
            reply = okta.call(method, path, {} if method in ("POST", "PUT", "PATCH") else None)
            refused(reply, 405)
            assert reply.headers["allow"] == allowed


@pytest.mark.parametrize("path", ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas"])
def test_what_describes_the_service_is_not_filtered(okta, path):
    refused(okta.call("GET", f"{path}?filter=id%20pr"), 403)
    okta.call("GET", f"{path}?startIndex=2&count=1&sortBy=id", expect=200)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/Devices", "/Users/a/b", "/users", "/Schemas/a/b"])
def test_what_there_is_not_is_a_404_of_the_rfcs_form(okta, method, path):
    refused(okta.call(method, path, {} if method != "DELETE" else None), 404)


def test_nothing_is_told_of_what_there_is_not_without_a_token(okta):
    for method, path in (("GET", "/Devices"), ("POST", "/Me")):
        refused(okta.world.call(method, f"/scim/v2{path}"), 401)
