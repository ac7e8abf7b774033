"""
Sets a Vault up as this system needs it, from the files beside this one; again and again with the same result.

`python infra/vault/apply.py --addr https://vault:8200 --ca ca.pem --cert operator.pem --key operator-key.pem`

With `--rotate-ca begin`, then `switch`, then `end` it replaces root and issuing CA (docs/operations.md has what is between).
With `--function-secrets PREFIX` functions without a good certificate get one into their secrets in AWS, as whom and where
boto3 finds to be meant (AWS_PROFILE, AWS_REGION).
With `--service NAME --out FOLDER` a service gets what it keeps its own client certificate by, and its first one.
With `--rotate-pepper` it adds a pepper besides, which new credentials are made under from then on; old ones stay good under
theirs, since no pepper is ever taken away.

Before the first time a Vault needs three things by whoever holds its root: the `cert` auth method at `auth/cert`, the policy
policies/operator.hcl, and a role `operator` for the operator's certificate. OpenBao's first start has them made.
Nothing here needs OpenBao: HashiCorp's Vault (1.13 or later) serves every call.
"""

import argparse
import base64
import json
import os
import re
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import hvac
import hvac.exceptions
from botocore.exceptions import BotoCoreError, ClientError
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

HERE = Path(__file__).resolve().parent
FUNCTION_URI = "spiffe://platforma/fn/"
# Vault keeps a certificate role's old value for every field that a write leaves out, so each write says them all.
FUNCTION_TOKEN = {
    "token_type": "batch",
    "token_ttl": "20m",
    "token_max_ttl": "20m",
    "token_no_default_policy": True,
    "allowed_dns_sans": [],
    "allowed_email_sans": [],
    "allowed_organizational_units": [],
}
NEXT = "next"
"""What the CA is called in Vault that is to be the next, until the old one is forgotten."""
REQUEST_HEADER = "x-platforma-request-id"
MAX_PEPPER_VERSION = 61  # one digit of base62 in an API key, without 0
SERVICE = "service-"
"""Before a service's name, what Vault calls its PKI role, its policy and its certificate role."""
SERVICE_URI = "spiffe://platforma/service/"
SERVICE_NAME = re.compile(r"\A[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
READER = {"allowed_policies": ["reader"], "orphan": True, "renewable": True, "token_period": "8760h"}


def table(name: str) -> dict[str, Any]:
    """One of the JSON tables beside this file."""
    content = json.loads((HERE / f"{name}.json").read_text())
    if not isinstance(content, dict):
        raise TypeError(f"{name}.json holds an object")
    return content


def role_of(function: str) -> str:
    """The name that a function's role and policy have in Vault."""
    return f"fn-{function.replace('_', '-')}"


def policy_of(capabilities: list[str]) -> str:
    """A function's policy: its token's own paths, and what its row in functions.json grants."""
    return "\n".join((HERE / "capabilities" / f"{name}.hcl").read_text() for name in ["token", *capabilities])


def service_pki_role(name: str) -> dict[str, Any]:
    """The services' role, for this one alone."""
    only = {"allow_any_name": False, "allowed_domains": [name], "allow_bare_domains": True, "allow_localhost": False}
    return {**table("pki_roles")["service"], **only, "allowed_uri_sans": [SERVICE_URI + name]}


def service_policy(name: str) -> str:
    """A service's policy: its own client certificate, and the roots that others' are verified with."""
    return f"""
path "pki/issue/{SERVICE}{name}" {{ capabilities = ["create", "update"] }}
path "pki-root/issuers" {{ capabilities = ["list"] }}
path "pki-root/issuer/+/json" {{ capabilities = ["read"] }}
path "auth/token/lookup-self" {{ capabilities = ["read"] }}
"""


def service_role(name: str, roots: str) -> dict[str, Any]:
    """Who shows the service's certificate, of one of the *roots*, has its policy."""
    bound = {"allowed_uri_sans": [SERVICE_URI + name], "allowed_common_names": [name], "token_policies": [SERVICE + name]}
    return FUNCTION_TOKEN | bound | {"certificate": roots, "display_name": SERVICE + name}


class Setup:
    """One run against one Vault. *changed* tells what was not as the files say."""

    def __init__(self, vault: Any, *, root_bundle: str | None = None) -> None:
        self.vault = vault
        self.root_bundle = root_bundle
        self.changed: list[str] = []

    def run(self) -> list[str]:
        """Bring everything to what the files say; what had to be made."""
        self.mounts()
        self.certificates()
        self.policies()
        self.audited_headers()
        self.roles()
        self.keys()
        self.stored_secrets()
        return self.changed

    def mounts(self) -> None:
        """Mount the engines and tune them."""
        there = self.read("sys/mounts")
        for path, mount in table("mounts").items():
            if f"{path}/" not in there:
                self.write(f"sys/mounts/{path}", mount)
                self.changed.append(f"mount {path}")
            elif "config" in mount:
                self.write(f"sys/mounts/{path}/tune", mount["config"])

    def certificates(self) -> None:
        """Have a root and an intermediate under it, then the roles that certificates are issued by."""
        if not self.list("pki-root/issuers"):
            if self.root_bundle:
                self.write("pki-root/issuers/import/bundle", {"pem_bundle": self.root_bundle})
            else:
                named = {"common_name": "PLATFORMA root", "key_type": "ec", "key_bits": 256, "ttl": "87600h"}
                self.write("pki-root/root/generate/internal", named)
            self.changed.append("pki-root issuer")
        if not self.list("pki/issuers"):
            self.issuing_under("default")
            self.changed.append("pki issuer")
        tidy = {"enabled": True, "tidy_cert_store": True, "tidy_revoked_certs": True, "safety_buffer": "24h"}
        self.write("pki/config/auto-tidy", tidy)
        for name, role in table("pki_roles").items():
            self.write(f"pki/roles/{name}", role)

    def policies(self) -> None:
        """Write every policy, and remove those of functions that no longer exist."""
        wanted = {role_of(function): policy_of(row) for function, row in table("functions").items()}
        wanted |= {file.stem: file.read_text() for file in (HERE / "policies").glob("*.hcl")}
        there = self.list("sys/policies/acl")
        for name, policy in wanted.items():
            if name not in there or self.read(f"sys/policies/acl/{name}")["policy"] != policy:
                self.write(f"sys/policies/acl/{name}", {"policy": policy})
                self.changed.append(f"policy {name}")
        for name in there:
            if name.startswith("fn-") and name not in wanted:
                self.vault.adapter.delete(f"/v1/sys/policies/acl/{name}")
                self.changed.append(f"no policy {name}")

    def audited_headers(self) -> None:
        """Have the audit log tell, in the clear, which request of ours each call was made for."""
        self.write(f"sys/config/auditing/request-headers/{REQUEST_HEADER}", {"hmac": False})

    def roles(self) -> None:
        """A certificate role for each function, bound to its certificate's one name and URI; and the reader's token role."""
        root = "".join(self.roots().values())
        wanted = {role_of(function): function for function in table("functions")}
        there = self.list("auth/cert/certs")
        for role, function in wanted.items():
            bound = {"allowed_uri_sans": [FUNCTION_URI + function], "allowed_common_names": [role], "token_policies": [role]}
            self.write(f"auth/cert/certs/{role}", FUNCTION_TOKEN | bound | {"certificate": root, "display_name": role})
        self.changed += [f"role {role}" for role in wanted if role not in there]
        for role in there:
            if role.startswith("fn-") and role not in wanted:
                self.vault.adapter.delete(f"/v1/auth/cert/certs/{role}")
                self.changed.append(f"no role {role}")
            elif role.startswith(SERVICE):
                self.write(f"auth/cert/certs/{role}", service_role(role.removeprefix(SERVICE), root))
        self.write("auth/token/roles/reader", READER)

    def function_pair(self, function: str) -> dict[str, str]:
        """A function's client certificate as its secret holds it, with the roots that it verifies Vault with."""
        asked = {"common_name": role_of(function), "exclude_cn_from_sans": "true", "uri_sans": FUNCTION_URI + function}
        made = self.write("pki/issue/function", asked | {"private_key_format": "pkcs8"})
        certificate = f"{made['certificate']}\n{made['ca_chain'][0]}\n"
        return {"certificate": certificate, "private_key": f"{made['private_key']}\n", "ca": "".join(self.roots().values())}

    def function_secrets(self, prefix: str, aws: Any) -> None:
        """
        Give every function whose secret has no certificate that is good a first one; *aws* is boto3's Secrets Manager.

        From then on certificates_renew renews it, so that doing this again changes nothing.
        """
        for function in table("functions"):
            if not _is_good(_secret(aws, f"{prefix}/{function}")):
                aws.put_secret_value(SecretId=f"{prefix}/{function}", SecretString=json.dumps(self.function_pair(function)))
                self.changed.append(f"secret of {function}")

    def service(self, name: str) -> dict[str, str]:
        """
        Let the service of this *name* keep its own client certificate; the files to begin with, by name.

        Raises:
            ValueError: it is no service's name.
        """
        if not SERVICE_NAME.match(name):
            raise ValueError(
                f"{name} is no service's name: 1 to 63 of a-z, 0-9 and hyphens, which stand neither first nor last."
            )
        own, roots = SERVICE + name, "".join(self.roots().values())
        self.write(f"pki/roles/{own}", service_pki_role(name))
        self.write(f"sys/policies/acl/{own}", {"policy": service_policy(name)})
        self.write(f"auth/cert/certs/{own}", service_role(name, roots))
        self.changed.append(f"service {name}")
        return {"client.pem": self.first_certificate(name), "roots.pem": roots}

    def first_certificate(self, name: str) -> str:
        """A service's first pair, as its agent writes those after it: key, certificate and intermediate in one PEM."""
        asked = {"common_name": name, "exclude_cn_from_sans": "true", "uri_sans": SERVICE_URI + name}
        made = self.write("pki/issue/service", asked | {"private_key_format": "pkcs8"})
        return f"{made['private_key']}\n{made['certificate']}\n{made['ca_chain'][0]}\n"

    def roots(self) -> dict[str, str]:
        """The roots that are trusted (PEM), by the name that Vault gave them: two while the CA is replaced."""
        return {
            name: self.read(f"pki-root/issuer/{name}/json")["certificate"].strip() + "\n"
            for name in self.list("pki-root/issuers")
        }

    def begin_ca(self) -> None:
        """
        Make the next root and the next issuing CA under it, and trust both roots from now on.

        Nothing is issued under them yet: first whoever verifies must know the new root. Raises:
            ValueError: a replacement was begun before and is not ended.
        """
        if len(self.list("pki-root/issuers")) > 1:
            raise ValueError("A replacement of the CA is under way: switch and end it first.")
        if self.root_bundle:
            made = self.write("pki-root/issuers/import/bundle", {"pem_bundle": self.root_bundle})["imported_issuers"][0]
        else:
            named = {"common_name": "PLATFORMA root", "key_type": "ec", "key_bits": 256, "ttl": "87600h"}
            made = self.write("pki-root/root/generate/internal", named)["issuer_id"]
        issuing = self.issuing_under(made)
        self.write(f"pki/issuer/{issuing}", {"issuer_name": NEXT})
        self.write(f"pki-root/issuer/{made}", {"issuer_name": NEXT})
        self.changed.append("next CA")
        self.roles()

    def switch_ca(self) -> None:
        """
        Issue under the next CA from now on.

        Raises:
            ValueError: none was begun.
        """
        for mount in ("pki-root", "pki"):
            self.write(f"{mount}/config/issuers", {"default": self.next_of(mount)})
        self.changed.append("issuing under the next CA")

    def end_ca(self) -> None:
        """
        Trust the old root no longer, and forget both old CAs with their keys.

        Raises:
            ValueError: the next CA is not issuing.
        """
        following = {mount: self.next_of(mount) for mount in ("pki-root", "pki")}
        if any(self.read(f"{mount}/config/issuers")["default"] != name for mount, name in following.items()):
            raise ValueError("The next CA is not issuing: switch to it first.")
        for mount, kept in following.items():
            self.forget_all_but(mount, kept)
            self.write(f"{mount}/issuer/{kept}", {"issuer_name": "current"})
        self.changed.append("old CA forgotten")
        self.roles()

    def back_ca(self) -> None:
        """
        Issue under the old CA again. Both roots stay trusted, for those who hold what the next CA issued.

        Raises:
            ValueError: none was begun.
        """
        for mount in ("pki-root", "pki"):
            self.write(f"{mount}/config/issuers", {"default": self.old_of(mount)})
        self.changed.append("issuing under the old CA again")

    def abandon_ca(self) -> None:
        """
        Forget the next CA, and let in none of its certificates.

        Raises:
            ValueError: none was begun, or it is issuing: whoever holds its certificates, the one who renews them included,
                would be locked out.
        """
        kept = {mount: self.old_of(mount) for mount in ("pki-root", "pki")}
        if any(self.read(f"{mount}/config/issuers")["default"] != name for mount, name in kept.items()):
            raise ValueError("The next CA is issuing: go back and renew every certificate first.")
        for mount, name in kept.items():
            self.forget_all_but(mount, name)
        self.changed.append("next CA forgotten")
        self.roles()

    def old_of(self, mount: str) -> str:
        """
        The name that Vault gave the CA that is to be replaced.

        Raises:
            ValueError: no replacement was begun.
        """
        following = self.next_of(mount)
        issuers = {name: self.read(f"{mount}/issuer/{name}") for name in self.list(f"{mount}/issuers")}
        return next(name for name, issuer in issuers.items() if name != following and issuer["key_id"])

    def next_of(self, mount: str) -> str:
        """
        The name that Vault gave the next CA.

        Raises:
            ValueError: none was begun.
        """
        for name in self.list(f"{mount}/issuers"):
            if self.read(f"{mount}/issuer/{name}")["issuer_name"] == NEXT:
                return name
        raise ValueError("No replacement of the CA was begun.")

    def forget_all_but(self, mount: str, kept: str) -> None:
        """Remove every issuer, with its key, that is not in the chain of the one of this name."""
        chain = {certificate.strip() for certificate in self.read(f"{mount}/issuer/{kept}")["ca_chain"]}
        for name in self.list(f"{mount}/issuers"):
            issuer = self.read(f"{mount}/issuer/{name}")
            if issuer["certificate"].strip() not in chain:
                self.vault.adapter.delete(f"/v1/{mount}/issuer/{name}")
                if issuer["key_id"]:
                    self.vault.adapter.delete(f"/v1/{mount}/key/{issuer['key_id']}")

    def issuing_under(self, root: str) -> str:
        """A new issuing CA, signed by the root of this name; the name that Vault gave it."""
        named = {"common_name": "PLATFORMA issuing", "key_type": "ec", "key_bits": 256}
        request = self.write("pki/intermediate/generate/internal", named)["csr"]
        asked = {"csr": request, "format": "pem_bundle", "ttl": "43800h"}
        signed = self.write(f"pki-root/issuer/{root}/sign-intermediate", asked)
        chain = f"{signed['certificate']}\n{signed['issuing_ca']}"
        made = self.write("pki/intermediate/set-signed", {"certificate": chain})
        return str(next(name for name, key in made["mapping"].items() if key))

    def keys(self) -> None:
        """The platform's transit keys; no key is ever made by being used."""
        self.write("transit/config/keys", {"disable_upsert": True})
        there = self.list("transit/keys")
        for name, key in table("transit_keys").items():
            if name not in there:
                self.write(f"transit/keys/{name}", key)
                self.changed.append(f"key {name}")

    def stored_secrets(self) -> None:
        """Peppers, lookup keys, the account key of ACME: random, made once (`cas: 0` writes only what is not there)."""
        fresh = {
            "peppers": {"current": "1", "1": _random()},
            "secrets": {"lookup": _random(), "cursor": _random()},
            "acme": {"account_key": _account_key()},
        }
        for name, data in fresh.items():
            path = f"kv/data/platforma/{name}"
            if not self.read(path):
                self.write(path, {"options": {"cas": 0}, "data": data})
                self.changed.append(f"secret {name}")

    def rotate_pepper(self) -> int:
        """
        Add a pepper and make it the current one; its version. Of two at once, one is refused by Vault (`cas`).

        Raises:
            ValueError: a key's text has no digit for a further version.
        """
        found = self.read("kv/data/platforma/peppers")
        peppers = dict(found["data"])
        version = 1 + max(int(name) for name in peppers if name != "current")
        if version > MAX_PEPPER_VERSION:
            raise ValueError(f"API keys can name {MAX_PEPPER_VERSION} peppers only.")
        data = {**peppers, "current": str(version), str(version): _random()}
        options = {"cas": found["metadata"]["version"]}
        self.write("kv/data/platforma/peppers", {"options": options, "data": data})
        self.changed.append(f"pepper {version}")
        return version

    def read(self, path: str) -> dict[str, Any]:
        """What is at *path*; empty if nothing is."""
        answer = self.vault.read(path)
        return dict(answer["data"]) if answer else {}

    def list(self, path: str) -> list[str]:
        """The names under *path*."""
        answer = self.vault.list(path)
        return list(answer["data"]["keys"]) if answer else []

    def write(self, path: str, data: dict[str, Any]) -> dict[str, Any]:
        """Write, and give what was answered."""
        answer = self.vault.write_data(path, data=data)
        return dict(answer.get("data") or {}) if isinstance(answer, dict) else {}


def _secret(aws: Any, name: str) -> str:
    """A secret's value; empty where it was never filled."""
    try:
        return str(aws.get_secret_value(SecretId=name)["SecretString"])
    except aws.exceptions.ResourceNotFoundException:
        return ""


def _is_good(secret: str) -> bool:
    """Whether a function's secret holds a certificate that is not over."""
    try:
        leaf = x509.load_pem_x509_certificate(json.loads(secret)["certificate"].encode())
    except (KeyError, TypeError, ValueError):
        return False
    return leaf.not_valid_after_utc > datetime.now(UTC)


def _random() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _account_key() -> str:
    """A fresh key on P-256 (PEM, PKCS #8), by which a certificate authority will know us."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def sign_in(addr: str, *, ca: Path, certificate: Path, key: Path, role: str = "operator") -> Any:
    """A client that holds the operator's token."""
    vault = hvac.Client(url=addr, verify=str(ca), cert=(str(certificate), str(key)), timeout=30)
    vault.auth.cert.login(name=role)
    return vault


def put(folder: Path, files: dict[str, str]) -> None:
    """Write *files* into *folder*, readable by their owner alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, content in files.items():
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(content)


def main(arguments: list[str] | None = None) -> int:
    """The command; 0 if Vault now is as the files say."""
    parser = argparse.ArgumentParser(description="Set a Vault up for PLATFORMA Security.")
    parser.add_argument("--addr", required=True)
    parser.add_argument("--role", default="operator")
    for name, text in (("ca", "CA of Vault's certificate"), ("cert", "operator's certificate"), ("key", "its key")):
        parser.add_argument(f"--{name}", required=True, type=Path, help=text)
    parser.add_argument("--root-bundle", type=Path, help="PEM of key and certificate of a root to import; else one is made")
    parser.add_argument("--rotate-pepper", action="store_true", help="add a pepper and make it the current one")
    parser.add_argument(
        "--rotate-ca", choices=["begin", "switch", "end", "back", "abandon"], help="a step of replacing the CA"
    )
    parser.add_argument("--function-secrets", metavar="PREFIX", help="fill the functions' secrets in AWS (platforma/vault)")
    parser.add_argument("--service", metavar="NAME", help="let this service keep its own client certificate")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where the service's first files go")
    given = parser.parse_args(arguments)
    if (given.service is None) != (given.out is None):
        parser.error("--service and --out go together")
    try:
        vault = sign_in(given.addr, ca=given.ca, certificate=given.cert, key=given.key, role=given.role)
        bundle = given.root_bundle.read_text() if given.root_bundle else None
        setup = Setup(vault, root_bundle=bundle)
        changed = setup.run()
        if given.rotate_pepper:
            setup.rotate_pepper()
        if given.function_secrets:
            setup.function_secrets(given.function_secrets, boto3.client("secretsmanager"))
        if given.service:
            put(given.out, setup.service(given.service) | {"ca.pem": given.ca.read_text()})
        if given.rotate_ca:
            getattr(setup, f"{given.rotate_ca}_ca")()
    except (hvac.exceptions.VaultError, OSError, ValueError) as error:
        sys.stderr.write(f"Vault at {given.addr}: {error}\n")
        return 1
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"Secrets Manager: {error}\n")
        return 1
    print("\n".join(changed) or "nothing to change")
    return 0


if __name__ == "__main__":
    sys.exit(main())
