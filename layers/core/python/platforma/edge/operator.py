"""Functions that no gateway calls: an operator, a schedule or a stream does. A failure is raised, so that it is retried."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger

from platforma.kernel.errors import PlatformaError
from platforma.kernel.request import working_on

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def also_scheduled(requests: Callable[[Any, Any], dict[str, Any]], job: Handler) -> Handler:
    """A handler of a gateway's *requests*, and of *job* where a schedule calls: no request can say that it is one."""

    def either(event: dict[str, Any], context: Any) -> dict[str, Any]:
        return job(event, context) if event.get("source") == "schedule" else requests(event, context)

    return either


def operated(
    function: str, *, counted: tuple[str, ...] = ()
) -> Callable[[Callable[[dict[str, Any], str], dict[str, Any]]], Handler]:
    """
    A Lambda handler of a use case that takes the event and the request's id; it logs one line an invocation.

    The line has those members of the answer that *counted* names, for metrics.
    """
    log = Logger(service=function)

    def decorated(use_case: Callable[[dict[str, Any], str], dict[str, Any]]) -> Handler:
        def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
            request_id = str(context.aws_request_id)
            working_on(request_id)
            try:
                answer = use_case(event, request_id)
            except PlatformaError as error:
                log.exception("failed", request_id=request_id, code=error.code, detail=error.detail, facts=dict(error.facts))
                raise
            log.info("done", request_id=request_id, **{name: answer[name] for name in counted if name in answer})
            return answer

        return handler

    return decorated
