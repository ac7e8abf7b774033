"""Work that waits in SQS: mailed links to be made, clients to be told of sessions' ends."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from platforma.identity.links import LinkRequest
from platforma.kernel.errors import Broken, Unavailable


class _Queue:
    def __init__(self, queue_url: str, region: str) -> None:
        self._queue_url = queue_url
        config = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"})
        self._client = boto3.client("sqs", region_name=region, config=config)

    def _send(self, document: Mapping[str, Any], **more: Any) -> None:
        try:
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=json.dumps(document), **more)
        except (BotoCoreError, ClientError) as error:
            raise Unavailable("The request could not be queued.", cause=type(error).__name__) from error


class SQSLinkRequests(_Queue):
    """`LinkRequests`."""

    def put(self, request: LinkRequest) -> None:
        """See `LinkRequests.put`."""
        self._send(asdict(request))


class SQSLogoutQueue(_Queue):
    """`platforma.oauth.backchannel.LogoutQueue`."""

    def put(self, session_id: str, client_id: str, *, wait: int = 0) -> None:
        """See `LogoutQueue.put`."""
        self._send({"session_id": session_id, "client_id": client_id}, DelaySeconds=wait)


def read_request(body: str) -> LinkRequest:
    """
    A request as it was put.

    Raises:
        Broken: it is none of ours.
    """
    try:
        document: Mapping[str, Any] = json.loads(body)
        return LinkRequest(str(document["tenant_id"]), user_id=document["user_id"], email=document["email"])
    except (ValueError, KeyError, TypeError):
        raise Broken("A queued request is not one of ours.") from None


def read_logout(body: str) -> tuple[str, str]:
    """
    The ids of the session and of the client that it is about.

    Raises:
        Broken: it is none of ours.
    """
    try:
        document: Mapping[str, Any] = json.loads(body)
        return str(document["session_id"]), str(document["client_id"])
    except (ValueError, KeyError, TypeError):
        raise Broken("A queued request is not one of ours.") from None
