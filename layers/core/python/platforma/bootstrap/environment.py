"""What a deployment decides, read from the environment once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from platforma.kernel.clock import system_clock
from platforma.kernel.errors import Broken

VAULT_FUNCTIONS = (
    *(
        "apikeys_expiry",
        "apikeys_manage",
        "apikeys_verify",
        "audit_events",
        "audit_export",
        "audit_gateway",
        "audit_relay",
        "certificates_manage",
        "certificates_renew",
    ),
    *("compliance_reports", "identity_mail", "keys_rotation"),
    *(
        "identity_me",
        "identity_tenants",
        "identity_users",
        "oauth_authorize",
        "oauth_clients",
        "oauth_logout",
        "oauth_pages",
        "oauth_sessions",
        "oauth_token",
        "platform_setup",
    ),
    *("keys_encryption", "keys_objects", "keys_upkeep"),
    *("policy_apis", "policy_authorizer", "policy_decide", "policy_manage"),
    *("sso_connections", "sso_scim", "sso_sign_in", "sso_upkeep"),
)
"""The functions that ask Vault, and have a client certificate each."""


TABLES = ("identity", "credential", "policy", "audit", "key")


@dataclass(frozen=True, slots=True)
class Settings:
    """
    What a deployment decides: addresses and names, never a secret. *tables* has those that this function may open.

    *kms_prefix* begins the aliases of tenants' keys where KMS keeps them, and is empty where Vault does.
    """

    url: str
    internal_url: str | None
    certificate_header: str
    region: str
    tables: Mapping[str, str]
    audit_bucket: str
    exports_bucket: str
    cold_bucket: str
    access_logs_bucket: str
    cold_database: str
    cold_workgroup: str
    objects_bucket: str
    objects_role: str
    relay_function: str
    kms_prefix: str
    vault_addr: str
    vault_role: str
    vault_secret: str
    vault_secrets: str
    audit_key: str | None
    mail_queue: str
    logout_queue: str
    queues: tuple[str, ...]
    mail_from: str
    audit_retention_years: int
    fetch_networks: tuple[str, ...]
    fetch_ca_file: str | None
    secret_scanning_keys_url: str
    acme_directory: str
    acme_ca_file: str | None
    dns_zones: tuple[str, ...]
    edge_admin_socket: str
    edge_certificates: str
    alarm_prefix: str


@cache
def settings() -> Settings:
    """
    The environment, read once.

    Raises:
        Broken: a variable that this system cannot do without is missing.
    """
    env = os.environ
    if not (url := env.get("PLATFORMA_URL")):
        raise Broken("PLATFORMA_URL is not set.")
    return Settings(
        url=url,
        internal_url=env.get("PLATFORMA_INTERNAL_URL") or None,
        certificate_header=env.get("CLIENT_CERTIFICATE_HEADER", "").lower(),
        region=env.get("AWS_REGION", env.get("AWS_DEFAULT_REGION", "eu-central-1")),
        tables={name: value for name in TABLES if (value := env.get(f"{name.upper()}_TABLE"))},
        audit_bucket=env.get("AUDIT_BUCKET", ""),
        exports_bucket=env.get("EXPORTS_BUCKET", ""),
        cold_bucket=env.get("COLD_BUCKET", ""),
        access_logs_bucket=env.get("ACCESS_LOGS_BUCKET", ""),
        cold_database=env.get("COLD_DATABASE", ""),
        cold_workgroup=env.get("COLD_WORKGROUP", ""),
        objects_bucket=env.get("OBJECTS_BUCKET", ""),
        objects_role=env.get("OBJECTS_ROLE", ""),
        relay_function=env.get("RELAY_FUNCTION", ""),
        kms_prefix=env.get("KMS_PREFIX", ""),
        vault_addr=env.get("VAULT_ADDR", ""),
        vault_role=env.get("VAULT_ROLE", ""),
        vault_secret=env.get("VAULT_SECRET", ""),
        vault_secrets=env.get("VAULT_SECRETS", ""),
        audit_key=env.get("AUDIT_KEY_ARN") or None,
        secret_scanning_keys_url=env.get("SECRET_SCANNING_KEYS_URL", ""),
        acme_directory=env.get("ACME_DIRECTORY", ""),
        acme_ca_file=env.get("ACME_CA_FILE") or None,
        dns_zones=tuple(env.get("DNS_ZONES", "").split()),
        edge_admin_socket=env.get("EDGE_ADMIN_SOCKET", ""),
        edge_certificates=env.get("EDGE_CERTIFICATES", ""),
        alarm_prefix=env.get("ALARM_PREFIX", ""),
        mail_queue=env.get("MAIL_QUEUE_URL", ""),
        logout_queue=env.get("LOGOUT_QUEUE_URL", ""),
        queues=tuple(env.get("QUEUE_URLS", "").split()),
        mail_from=env.get("MAIL_FROM", ""),
        audit_retention_years=int(env.get("AUDIT_RETENTION_YEARS", "2")),
        fetch_networks=tuple(env.get("FETCH_NETWORKS", "").split()),
        fetch_ca_file=env.get("FETCH_CA_FILE") or None,
    )


clock = system_clock


def issuer() -> str:
    """The issuer of tokens and the audience of this API: its stable URL (RFC 8414 section 2)."""
    return settings().url


def host() -> str:
    """What begins the names of our logs: the host of the stable URL."""
    return urlsplit(issuer()).netloc
