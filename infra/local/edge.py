"""
Caddy as the edge: TLS 1.3 for everyone, mutual TLS for the inside, and what API Gateway would have done before our code.

On AWS the gateway renames a function's `WWW-Authenticate` and the remedy there names it back; the emulator does neither, so
nothing is left for the local edge to imitate. Caddy's own rule that saves no local authority in the system's trust store is
`install_trust: false` together with `automatic_https` off.
"""

import base64
import hashlib
import json
import os
import re
import socket
import ssl
import tempfile
from pathlib import Path
from typing import Any

from infra.local.certificates import Pair, write_private
from infra.local.ports import claim, is_free
from infra.local.processes import Server
from infra.local.progress import StepFailed, wait_until
from infra.local.stack import ROOT, Stack

Json = dict[str, Any]
END = "-----END CERTIFICATE-----"
API_DOMAIN = "api.platforma.internal"  # the custom domain that the emulated gateway maps to our API
CERTIFICATE_HEADER = "x-client-cert"  # set by the mutual TLS listener, removed from what clients send to either
BODY_LIMIT = 5 * 1024 * 1024  # a part of 4 MiB and its envelope; a function may be stricter
DETAILS = {
    400: "The path is not one that the API has.",
    413: "The body is larger than the API takes.",
    431: "The header fields are larger than the API takes.",
    503: "The service can't answer now; try again shortly.",
}
UNSAFE_PATH = r"(^|/)\.{1,2}(/|$)|\\|//"  # as Caddy sees it: decoded once
# What a query may carry that is a credential, or stands for one.
SECRET_PARAMETERS = (
    *("access_token", "api_key", "assertion", "client_assertion", "client_secret", "code", "code_verifier", "device_code"),
    *("dpop", "id_token", "id_token_hint", "initial_access_token", "key", "logout_token", "password", "refresh_token"),
    *("out", "RelayState", "request", "SAMLRequest", "SAMLResponse", "Signature", "state", "subject_token", "test", "token"),
    "user_code",
)


def server(stack: Stack) -> Server:
    """The Caddy process of this stack."""
    home = stack.home / "caddy"
    return Server("Caddy", home / "caddy.json", home / "pid", stack.logs / "caddy.log")


def certificate(stack: Stack) -> Pair:
    """What both listeners show: for a start Vault's PKI issues it, then our own ACME client has it renewed."""
    return Pair(stack.certificates / "edge.pem", stack.certificates / "edge-key.pem")


def roots(stack: Stack) -> Path:
    """The roots that clients' certificates may lead to, as Vault names them: two while the CA is replaced."""
    return stack.certificates / "roots.pem"


def access_log(stack: Stack) -> Path:
    """One JSON line a request, credentials left out."""
    return stack.logs / "access.jsonl"


def start(stack: Stack) -> None:
    """
    Have the edge up with today's configuration and certificate.

    Raises:
        StepFailed: a port is taken, or Caddy refuses to start.
    """
    caddy, home = server(stack), stack.folder("caddy")
    wanted = json.dumps(configuration(stack), indent=1)
    same = caddy.mark.exists() and caddy.mark.read_text() == wanted
    if caddy.pid() and same and is_listening(stack) and shown(stack) == leaf_of(certificate(stack)):
        return
    caddy.stop()
    claim(stack.ports.edge, "the edge", "PLATFORMA_PORT")
    claim(stack.ports.internal, "the internal edge", "PLATFORMA_INTERNAL_PORT")
    write_private(caddy.mark, wanted)
    environment = {"HOME": str(home), "XDG_DATA_HOME": str(home), "XDG_CONFIG_HOME": str(home), "PATH": os.defpath}
    caddy.start([str(ROOT / ".venv" / "bin" / "caddy"), "run", "--config", str(caddy.mark)], environment, folder=home)
    if not wait_until(lambda: is_listening(stack) or caddy.pid() is None, 60) or caddy.pid() is None:
        raise StepFailed("Caddy does not come up", log=caddy.log, remedy="read its log, then run the same again")


def is_listening(stack: Stack) -> bool:
    """Whether both ports are held."""
    return not is_free(stack.ports.edge) and not is_free(stack.ports.internal)


def shown(stack: Stack) -> bytes:
    """The certificate that the edge shows (DER); empty where it does not."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is looked at, and nothing is said to it
    try:
        with (
            socket.create_connection(("127.0.0.1", stack.ports.edge), timeout=2) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as tls,
        ):
            return tls.getpeercert(binary_form=True) or b""
    except OSError:
        return b""


def leaf_of(pair: Pair) -> bytes:
    """The first certificate of the pair's file (DER)."""
    return ssl.PEM_cert_to_DER_cert(pair.certificate.read_text().partition(END)[0] + END)


def admin_socket(home: Path) -> Path:
    """Where Caddy takes orders. A socket's path holds 100 bytes or so; a deep home gets one in the temporary folder."""
    path = home / "caddy" / "admin.sock"
    if len(os.fsencode(path)) > 100:
        name = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
        path = Path(tempfile.gettempdir()) / f"platforma-{os.getuid()}-{name}.sock"
    return path


def configuration(stack: Stack) -> Json:
    """Caddy's whole configuration."""
    pair = certificate(stack)
    file = {"certificate": str(pair.certificate), "key": str(pair.key), "tags": ["edge"]}
    return {
        "admin": {"listen": f"unix/{admin_socket(stack.home)}|0600", "config": {"persist": False}},
        "storage": {"module": "file_system", "root": str(stack.home / "caddy")},
        "logging": {"logs": {"default": {"exclude": ["http.log.access"]}, "access": _access_log(stack)}},
        "apps": {
            "pki": {"certificate_authorities": {"local": {"install_trust": False}}},
            "tls": {"certificates": {"load_files": [file]}},
            "http": {
                "servers": {
                    "edge": _listener(stack, stack.ports.edge, None),
                    "internal": _listener(stack, stack.ports.internal, roots(stack)),
                }
            },
        },
    }


def _listener(stack: Stack, port: int, client_ca: Path | None) -> Json:
    policy: Json = {
        "protocol_min": "tls1.3", "certificate_selection": {"any_tag": ["edge"]}, "default_sni": "localhost",
    }  # fmt: skip
    forwarded: Json = {"Host": [API_DOMAIN]}
    if client_ca is not None:
        parts = client_ca.read_text().split(END)[:-1]
        trusted = [base64.b64encode(ssl.PEM_cert_to_DER_cert(part.strip() + END)).decode() for part in parts]
        policy["client_authentication"] = {
            "ca": {"provider": "inline", "trusted_ca_certs": trusted}, "mode": "require_and_verify",
        }  # fmt: skip
        forwarded[CERTIFICATE_HEADER] = ["{http.request.tls.client.certificate_der_base64}"]
    unsafe: Json = {"vars_regexp": {"{http.request.uri.path}": {"pattern": UNSAFE_PATH}}}
    length, sent_type = "{http.request.header.Content-Length}", "{http.request.header.Content-Type}"
    return {
        "listen": [f"127.0.0.1:{port}"],
        "protocols": ["h1", "h2"],
        "automatic_https": {"disable": True},
        "strict_sni_host": False,
        "max_header_bytes": 32768,
        "read_header_timeout": "10s",
        "idle_timeout": "2m",
        "logs": {},
        "tls_connection_policies": [policy],
        "routes": [
            {"handle": [*_logged(), _problem_type(), _stripped()]},
            {"match": [unsafe], "handle": [{"handler": "error", "status_code": 400}]},
            {
                "match": [{"expression": f'{length} != "" && int({length}) > {BODY_LIMIT}'}],
                "handle": [{"handler": "error", "status_code": 413}],
            },
            {"match": [_bytes("GET")], "handle": [_binary("Accept")]},
            {
                "match": [{**_bytes("PUT"), "not": [{"header": {"X-Object-Type": ["*"]}}]}],
                "handle": [{"handler": "headers", "request": {"set": {"X-Object-Type": [sent_type]}}}],
            },
            {"match": [_bytes("PUT")], "handle": [_binary("Content-Type")]},
            {"handle": [*_cleaned(), _encoded_again(), _proxy(stack, forwarded)]},
        ],
        "errors": {"routes": _problems()},
    }


def _bytes(method: str) -> Json:
    """Matches the paths that answer or take bytes, from the API's own document; a last parameter takes slashes too."""
    paths: dict[str, Any] = json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"]
    binary = [path for path, operations in paths.items() if _is_binary(operations.get(method.lower(), {}))]
    found = "|".join(re.sub(r"{\w+}", "[^/]+", re.sub(r"{\w+}$", ".+", path)) for path in binary)
    return {"method": [method], "path_regexp": {"pattern": f"^(?:{found})$"}}


def _is_binary(operation: Json) -> bool:
    told = [operation.get("requestBody", {}), *operation.get("responses", {}).values()]
    return any("application/octet-stream" in each.get("content", {}) for each in told)


def _binary(header: str) -> Json:
    """The emulator takes and sends bytes only where this type is named; API Gateway does for all types (`*/*`)."""
    return {"handler": "headers", "request": {"set": {header: ["application/octet-stream"]}}}


def _problem_type() -> Json:
    """The gateway's own answers are problems too; the emulator knows no other media type for them than plain JSON."""
    response = {
        "deferred": True,
        "require": {"headers": {"X-Amzn-Errortype": ["*"]}},
        "set": {"Content-Type": ["application/problem+json"]},
        "delete": ["X-Amzn-Errortype"],
    }
    return {"handler": "headers", "response": response}


def _stripped() -> Json:
    """What an answer does not say: who made it, and the emulator's own request ids."""
    names = ["Server", "Via", "X-Amzn-Requestid", "X-Amz-Request-Id", "X-Amz-Id-2"]
    return {"handler": "headers", "response": {"deferred": True, "delete": names}}


def _encoded_again() -> Json:
    """The emulator decodes a path before it hands it over; API Gateway's REST APIs do not."""
    return {"handler": "rewrite", "path_regexp": [{"find": "%", "replace": "%25"}]}


def _cleaned() -> list[Json]:
    """Bound the body, and drop every header that only we may set before any of them is set."""
    ours = ["X-Client-Cert*", "X_Client_Cert*", "X-Amzn-Mtls-*", "X-Amzn-Trace-Id", "Forwarded", "X-Real-Ip", "Via"]
    return [
        {"handler": "request_body", "max_size": BODY_LIMIT},
        {"handler": "headers", "request": {"delete": ours}},
    ]


def _proxy(stack: Stack, forwarded: Json) -> Json:
    """
    Hand the request to the gateway; its 5xx pages, which may hold a function's words, never reach the caller. For what it
    refused by itself no function answers: the access log says so.
    """
    failed = {"match": {"status_code": [502, 504]}, "routes": [{"handle": [{"handler": "error", "status_code": 502}]}]}
    noted = {"handler": "log_append", "key": "gateway_refused", "value": "yes"}
    refused = {
        "match": {"headers": {"X-Amzn-Errortype": ["*"]}},
        "routes": [{"handle": [noted, {"handler": "copy_response"}]}],
    }
    return {
        "@id": f"proxy-{'internal' if CERTIFICATE_HEADER in forwarded else 'edge'}",
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"127.0.0.1:{stack.ports.aws}"}],
        "transport": {"protocol": "http", "versions": ["1.1"], "response_header_timeout": "35s", "compression": False},
        "request_buffers": BODY_LIMIT + 1,
        "headers": {
            "request": {"set": forwarded},
        },
        "handle_response": [failed, refused],
    }


def _logged() -> list[Json]:
    """The few facts of a request that the access log keeps beside Caddy's own; its headers are not kept at all."""
    kept = {
        "user_agent": "{http.request.header.User-Agent}",
        "edge_id": "{http.request.uuid}",
        "answer_request_id": "{http.response.header.X-Request-Id}",
    }
    return [{"handler": "log_append", "key": key, "value": value} for key, value in kept.items()]


def _access_log(stack: Stack) -> Json:
    hidden = [{"type": "replace", "parameter": name, "value": "REDACTED"} for name in SECRET_PARAMETERS]
    fields = {
        "request>headers": {"filter": "delete"},
        "resp_headers": {"filter": "delete"},
        "request>uri": {"filter": "query", "actions": hidden},
    }
    return {
        "include": ["http.log.access"],
        "writer": {"output": "file", "filename": str(access_log(stack)), "mode": "0600", "roll": False},
        "encoder": {"format": "filter", "wrap": {"format": "json"}, "fields": fields},
    }


def _problems() -> list[Json]:
    """Caddy's own refusals, in the API's words (RFC 9457); a gateway that is gone is 503, to be tried again."""
    titles = {400: "Bad Request", 413: "Content Too Large", 431: "Request Header Fields Too Large"}
    codes = {400: "malformed", 413: "too_large", 431: "too_large"}
    routes = [
        _problem(f"{{http.error.status_code}} == {status}", status, titles[status], codes[status], {}) for status in titles
    ]
    return [*routes, _problem("true", 503, "Service Unavailable", "unavailable", {"Retry-After": ["2"]})]


def _problem(condition: str, status: int, title: str, code: str, headers: Json) -> Json:
    body = {"type": "about:blank", "title": title, "status": status, "detail": DETAILS[status], "code": code}
    body |= {"request_id": "{http.request.uuid}"}
    fixed = {
        "Content-Type": ["application/problem+json"], "X-Request-Id": ["{http.request.uuid}"], "Cache-Control": ["no-store"],
    }  # fmt: skip
    answer = {"handler": "static_response", "status_code": status, "headers": fixed | headers, "body": json.dumps(body)}
    return {"match": [{"expression": condition}], "handle": [_stripped(), answer]}
