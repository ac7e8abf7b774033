"""The sample of a protected API, deployed into a running stack beside ours: its own gateways ask our authorizer."""

import json

from infra.local import aws, build, sources
from infra.local.progress import StepFailed
from infra.local.stack import ROOT, Stack

NAME = "platforma-sample"
FOLDER = ROOT / "infra" / "samples"


def deploy(stack: Stack) -> dict[str, str]:
    """
    Deploy it in place, if anything of it changed; its outputs, and the addresses of its two gateways.

    To be protected it is also registered, by `POST /v1/protected-apis` with the audience `SampleAudience`.

    Raises:
        StepFailed: our own stack is not up, or CloudFormation refused.
    """
    if aws.status_of(stack, "platforma") not in build.WHOLE:
        raise StepFailed("the sample needs the system that protects it", remedy="`make run` first")
    parameters = {name: build.target()[name] for name in ("Runtime", "Architecture")} | {"Tenant": _tenant(stack)}
    build.ensure_uploads(stack)
    build.deploy(stack, NAME, FOLDER / "sample.yaml", parameters, built_from=sources.digest([FOLDER], {}))
    outputs = aws.outputs_of(stack, NAME)
    gateways = f"{stack.aws_url}/_aws/execute-api"
    return outputs | {
        "RestUrl": f"{gateways}/{outputs['RestApiId']}/v1",
        "HttpUrl": f"{gateways}/{outputs['HttpApiId']}/$default",
    }


def _tenant(stack: Stack) -> str:
    """The demo tenant, whose API it is."""
    return str(json.loads((stack.home / "stack.json").read_text())["tenant"]["id"])
