"""
One authenticated session with Vault, over hvac: the module that is imported only when Vault is really asked.

Failures are told apart here, once. Neither hvac's nor requests' exceptions leave, not even as context: they hold the request
with its token and its body.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import hvac
import requests
from hvac import exceptions
from requests.adapters import HTTPAdapter

from platforma.adapters.client_certificate import ClientCertificate
from platforma.kernel.errors import Unavailable
from platforma.kernel.request import current_request

TIMEOUT_SECONDS = 2
REQUEST_HEADER = "X-Platforma-Request-Id"
"""Under this name Vault's audit log has the id of the request that we asked for, as ours has it."""
_NO_TOKEN = ""  # and so none from the environment or the home directory
_REFUSALS = (exceptions.InvalidRequest, exceptions.InvalidPath)


class Refused(Exception):
    """Vault understood and would not: *errors* are its own words, for telling cases apart and for nobody's eyes."""

    def __init__(self, status: int, errors: tuple[str, ...]) -> None:
        super().__init__(status)
        self.status = status
        self.errors = errors


class TokenRefused(Exception):
    """The token is expired, revoked, or does not cover this path."""


class ConnectionLost(Exception):
    """The connection broke before an answer came: as after a freeze, when the other side has closed it."""


@dataclass(slots=True)
class Session:
    """A logged-in client; *lifetime* is that of its token, in seconds."""

    client: Any
    lifetime: int

    def post(self, path: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """Write *data* to *path*; what Vault answers under `data`."""
        return _data(_exchange(self.client, "post", path, data))

    def get(self, path: str) -> dict[str, Any]:
        """What stands at *path*."""
        return _data(_exchange(self.client, "get", path, None))

    def list(self, path: str) -> dict[str, Any]:
        """The names under *path*, as `keys`."""
        return _data(_exchange(self.client, "list", path, None))

    def delete(self, path: str) -> dict[str, Any]:
        """Remove what stands at *path*."""
        return _data(_exchange(self.client, "delete", path, None))


def login(addr: str, role: str, certificate: ClientCertificate) -> Session:
    """
    A session for *role*, by client certificate over TLS 1.3.

    Raises:
        TokenRefused, ConnectionLost: the certificate is not good, or Vault's is not; a second try may do.
        Unavailable: Vault does not answer, or does not let this certificate have the role.
    """
    transport = requests.Session()
    transport.trust_env = False
    transport.verify = str(certificate.ca)
    transport.cert = (str(certificate.certificate), str(certificate.private_key))
    transport.mount("https://", _TLS13())
    client = hvac.Client(url=addr, token=_NO_TOKEN, session=transport, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    try:
        auth = _exchange(client, "post", "auth/cert/login", {"name": role})["auth"]
        client.token = auth["client_token"]
        return Session(client, int(auth["lease_duration"]))
    except (Refused, KeyError):
        failure = Unavailable("A key service does not let us in.", role=role)
    raise failure


class _TLS13(HTTPAdapter):
    """Nothing older than TLS 1.3, whatever the other side would take."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        super().init_poolmanager(*args, ssl_context=context, **kwargs)


def _exchange(client: Any, method: str, path: str, data: Mapping[str, Any] | None) -> dict[str, Any]:
    try:
        headers = {REQUEST_HEADER: request_id} if (request_id := current_request()) else None
        answer = client.adapter.request(method, f"/v1/{path}", json=data, headers=headers)
    except exceptions.Forbidden:
        failure: Exception = TokenRefused()
    except _REFUSALS as error:
        status = 404 if isinstance(error, exceptions.InvalidPath) else 400
        failure = Refused(status, tuple(str(text) for text in error.errors or ()))
    except requests.Timeout:
        failure = Unavailable("A key service did not answer in time.")
    except requests.exceptions.SSLError:
        failure = TokenRefused()
    except requests.ConnectionError:
        failure = ConnectionLost()
    except (exceptions.VaultError, requests.RequestException) as error:
        failure = Unavailable(cause=type(error).__name__)
    else:
        if isinstance(answer, dict):
            return answer
        if answer.status_code == 204:
            return {}
        failure = Unavailable("A key service's answer cannot be read.")
    raise failure


def _data(answer: dict[str, Any]) -> dict[str, Any]:
    data = answer.get("data")
    return data if isinstance(data, dict) else {}
