"""The audit relay, called and waited for: whoever destroys a tenant's key has the tenant's logs settled before."""

import json
import random
import time
from collections.abc import Callable
from typing import Any

from platforma.kernel.errors import Unavailable
from platforma.keys.shredding import LogPosition

_ATTEMPTS = 6


class RelayedLogs:
    """`TenantLogs`, by invoking the relay's function. *pause* waits for so many seconds while another relay is at work."""

    def __init__(self, function: str, client: Any = None, pause: Callable[[float], None] = time.sleep) -> None:
        self._function, self._client, self._pause = function, client, pause

    def settle(self, tenant_id: str) -> list[LogPosition]:
        """How far the tenant's logs have come, nothing waiting any more."""
        for attempt in range(_ATTEMPTS):
            answer = self._asked({"job": "settle", "tenant_id": tenant_id})
            if answer.get("busy") is False:
                return [LogPosition(str(log["id"]), int(log["size"]), str(log["root"])) for log in answer["logs"]]
            self._pause(random.uniform(0.05, 0.15) * 2**attempt)  # noqa: S311  jitter, not a secret
        raise Unavailable("A tenant's log is being relayed by another.", retry_after=5)

    def _asked(self, event: dict[str, str]) -> dict[str, Any]:
        import boto3  # noqa: PLC0415  most calls of the function that has this never come here
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        if self._client is None:
            settings = Config(connect_timeout=2, read_timeout=25, retries={"total_max_attempts": 1})
            self._client = boto3.client("lambda", config=settings)
        try:
            answer = self._client.invoke(FunctionName=self._function, Payload=json.dumps(event).encode())
            body = json.loads(answer["Payload"].read())
        except (BotoCoreError, ClientError) as error:
            raise Unavailable(cause=type(error).__name__) from error
        if answer.get("FunctionError") or not isinstance(body, dict):
            raise Unavailable(cause="the relay failed")
        return body
