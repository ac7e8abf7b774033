"""Puts the gateway's own answers (unknown path, body too large...) by API: the emulator drops them from an imported body."""

import json

from infra.local import aws
from infra.local.stack import ROOT, Stack

BODY = ROOT / "infra" / "gateway.json"
STAGE = "v1"


def put(stack: Stack) -> int:
    """Put those that are not as the API's body says, then deploy them; how many were put."""
    gateway, api = aws.client("apigateway", stack.aws_url), aws.resources_of(stack, "platforma")["Api"]
    body = BODY.read_text().replace(
        "context.extendedRequestId", "context.requestId"
    )  # the emulator has one id, of this name
    wanted = json.loads(body).get("x-amazon-apigateway-gateway-responses", {})
    found = {one["responseType"]: one for one in gateway.get_gateway_responses(restApiId=api, limit=500)["items"]}
    count = 0
    for kind, answer in wanted.items():
        said = {
            "statusCode": str(answer["statusCode"]),
            "responseParameters": answer.get("responseParameters", {}),
            "responseTemplates": answer.get("responseTemplates", {}),
        }
        if any(found.get(kind, {}).get(name) != value for name, value in said.items()):
            gateway.put_gateway_response(restApiId=api, responseType=kind, **said)
            count += 1
    if count:
        gateway.create_deployment(restApiId=api, stageName=STAGE)
    return count
