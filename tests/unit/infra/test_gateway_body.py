"""infra/gateway.json is what the endpoint table says, and the template serves just that."""

import json

from infra import openapi
from platforma.edge.endpoints import ENDPOINTS
from tests.unit.infra.templates import FOLDERS, SERVICE, of_type, properties, stem

BODY = json.loads(openapi.BODY.read_text())


def test_the_committed_body_is_fresh():
    assert {file: file.read_text() for file in openapi.documents()} == openapi.documents()


def test_every_endpoint_is_routed_to_its_function():
    for row in ENDPOINTS:
        integration = BODY["paths"][row.path][row.method.lower()]["x-amazon-apigateway-integration"]
        assert f"/functions/${{{stem(row.function)}Function.Arn}}/invocations" in integration["uri"]["Fn::Sub"]
        assert row.function in FOLDERS


def test_nothing_else_is_routed():
    routed = {
        (method.upper(), path) for path, methods in BODY["paths"].items() for method in methods if method != openapi.ANY
    }

    assert routed == {(row.method, row.path) for row in ENDPOINTS}


def test_whatever_else_is_sent_to_a_path_goes_to_a_function_of_its_own():
    for methods in BODY["paths"].values():
        called = {method: each["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"] for method, each in methods.items()}
        assert called[openapi.ANY] in {uri for method, uri in called.items() if method != openapi.ANY}
        assert "get" not in called or called["get"] == called[openapi.ANY], "HEAD is answered by what answers GET"


def test_both_gateways_fit_into_a_template():
    """The gateways' quota of resources, and CloudFormation's of a processed template (1 MB)."""
    parts = [path.strip("/").split("/") for path in BODY["paths"]]
    resources = {tuple(each[: number + 1]) for each in parts for number in range(len(each))}

    assert len(resources) < 300
    assert 2 * len(json.dumps(BODY)) + len(json.dumps(SERVICE)) < 800_000


def test_path_parameters_are_declared():
    for path, methods in BODY["paths"].items():
        for operation in methods.values():
            declared = {parameter["name"] for parameter in operation.get("parameters", [])}
            assert declared == {name.rstrip("+") for name in openapi.re.findall(r"{([^}]+)}", path)}


def test_just_the_routed_functions_may_be_invoked_by_the_gateways():
    allowed = {
        (permission["Properties"]["FunctionName"]["Ref"], permission.get("Condition"))
        for permission in of_type(SERVICE, "AWS::Lambda::Permission").values()
        if permission["Properties"]["Principal"] == "apigateway.amazonaws.com"
    }

    routed = {stem(row.function) + "Function" for row in ENDPOINTS}
    assert allowed == {(name, condition) for name in routed for condition in (None, "HasInternalDomain")}
    assert "/functions/" not in json.dumps(properties(SERVICE, "Api")["DefinitionBody"])


def test_the_gateways_own_answers_are_problems():
    for answer in BODY["x-amazon-apigateway-gateway-responses"].values():
        problem = json.loads(answer["responseTemplates"]["application/json"])
        assert problem["status"] == answer["statusCode"]
        assert set(problem) == {"type", "title", "status", "detail", "code", "request_id"}
        assert answer["responseParameters"]["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        if problem["status"] in (429, 503):
            assert "gatewayresponse.header.Retry-After" in answer["responseParameters"]
