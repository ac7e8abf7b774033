"""Certificates in ACM, which the gateway's domains show."""

from collections.abc import Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from platforma.certificates.ports import Pair
from platforma.kernel.errors import Unavailable

_CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"max_attempts": 3, "mode": "standard"})
_END = "-----END CERTIFICATE-----"


class ACM:
    """`Installer`: a successor keeps the ARN, so that whatever shows it shows the new one within minutes."""

    name = "acm"

    def __init__(self, client: Any = None) -> None:
        self._client = client or boto3.client("acm", config=_CONFIG)

    def serves(self, _domains: Sequence[str]) -> bool:
        """All of ours are there to be shown."""
        return True

    def install(self, known: str | None, pair: Pair) -> str:
        """Import it, over the one of the ARN *known*."""
        leaf, _, rest = pair.chain.partition(_END)
        parts = {"Certificate": f"{leaf}{_END}\n".encode(), "PrivateKey": pair.private_key.encode()}
        if rest.strip():
            parts["CertificateChain"] = f"{rest.strip()}\n".encode()
        over = {"CertificateArn": known} if known else {}
        try:
            return str(self._client.import_certificate(**over, **parts)["CertificateArn"])
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
        except BotoCoreError as error:
            code = type(error).__name__
        raise Unavailable("ACM does not take the certificate.", cause=code)
