"""A function's client certificate out of Secrets Manager, where its renewal puts it."""

import json
import os
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from platforma.adapters.client_certificate import ClientCertificate
from platforma.certificates.client_certificates import ClientPair
from platforma.kernel.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_FILES = {"certificate": "client.pem", "private_key": "client-key.pem", "ca": "ca.pem"}


class ClientCertificates:
    """
    The current certificate of the secret *secret_id*, a JSON object of PEM texts: `certificate`, `private_key`, `ca`.

    Calling it reads the secret anew and overwrites its files, which only this user may read, in a folder of the process.
    """

    def __init__(self, secret_id: str, client: "SecretsManagerClient | None" = None) -> None:
        self._secret_id = secret_id
        self._client = client
        self._folder: Path | None = None

    def __call__(self) -> ClientCertificate:
        """
        The certificate as it stands now.

        Raises:
            Unavailable: Secrets Manager is gone, or the secret is missing or not of this form.
        """
        texts = self._texts()
        if self._folder is None:
            self._folder = Path(mkdtemp(prefix="platforma-"))  # mode 0700
        for name, file in _FILES.items():
            _write_private(self._folder / file, texts[name])
        return ClientCertificate(*(self._folder / file for file in _FILES.values()))

    def _texts(self) -> dict[str, str]:
        if self._client is None:
            config = Config(connect_timeout=2, read_timeout=2, retries={"max_attempts": 2, "mode": "standard"})
            self._client = boto3.client("secretsmanager", config=config)
        try:
            document = json.loads(self._client.get_secret_value(SecretId=self._secret_id)["SecretString"])
            return {name: str(document[name]) for name in _FILES}
        except (ClientError, BotoCoreError) as error:
            failure = Unavailable(cause=type(error).__name__, secret=self._secret_id)
        except (KeyError, TypeError, ValueError):
            failure = Unavailable("A client certificate is not set up.", secret=self._secret_id)
        raise failure


class FunctionCertificates:
    """`CertificateHolder`: every function's pair, in the secrets whose names begin with *prefix*."""

    def __init__(self, prefix: str, client: "SecretsManagerClient | None" = None) -> None:
        self._prefix = prefix
        self._client = client or boto3.client("secretsmanager")

    def certificate(self, function: str) -> str | None:
        """The certificate that the function has now."""
        return self._document(function).get("certificate")

    def trusted(self, function: str) -> str | None:
        """The roots that the function trusts now."""
        return self._document(function).get("ca")

    def install(self, function: str, pair: ClientPair, trusted: str) -> None:
        """Give the function this pair and these roots."""
        content = {"certificate": pair.certificate, "private_key": pair.private_key, "ca": trusted}
        try:
            self._client.put_secret_value(SecretId=f"{self._prefix}/{function}", SecretString=json.dumps(content))
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(cause=type(error).__name__, secret=function) from None

    def _document(self, function: str) -> dict[str, str]:
        try:
            document = json.loads(self._client.get_secret_value(SecretId=f"{self._prefix}/{function}")["SecretString"])
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(cause=type(error).__name__, secret=function) from None
        except (KeyError, ValueError):
            return {}
        return {str(name): str(value) for name, value in document.items()} if isinstance(document, dict) else {}


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
