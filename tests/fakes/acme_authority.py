"""acme2certifier (`tests/peers/acme_authority.py`) started for a test: made where it is missing, its CA made anew."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".tools" / "acme2certifier" / "bin" / "python"
SETTINGS = """
[DEFAULT]
dns_server_list: ["127.0.0.1"]
[CAhandler]
handler_module: acme2certifier.cahandlers.openssl_ca_handler
issuing_ca_key: {home}/ca-key.pem
issuing_ca_cert: {home}/ca.pem
issuing_ca_crl: {home}/crl.pem
cert_save_path: {home}/issued
cert_validity_days: 30
ca_cert_chain_list: []
[DBhandler]
handler: wsgi
dbfile: {home}/acme.db
[Challenge]
http_01_support: False
tls_alpn_01_support: False
[Renewalinfo]
renewalthreshold_pctg: {renew_at_percent}
retry_after_timeout: 3600
renewal_window_duration: {window}
"""


class Authority:
    """Its *directory*; started again it has the same accounts, orders and CA."""

    def __init__(self, home: Path, port: int, dns_port: int) -> None:
        self.home, self.port, self.dns_port = home, port, dns_port
        self.directory = f"http://127.0.0.1:{port}/directory"
        (home / "issued").mkdir()
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer's CA")])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now - timedelta(days=1), now + timedelta(days=900)
        )
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        root = builder.sign(key, hashes.SHA256())
        (home / "ca.pem").write_bytes(root.public_bytes(Encoding.PEM))
        (home / "ca-key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    @contextmanager
    def running(self, *, renew_at_percent: int, window: str = "") -> Iterator[None]:
        """Up, and suggesting to renew from so much of a life on, until its end or for a *window* of seconds."""
        settings = self.home / "acme_srv.cfg"
        settings.write_text(SETTINGS.format(home=self.home, renew_at_percent=renew_at_percent, window=window))
        command = [str(PYTHON), str(ROOT / "tests" / "peers" / "acme_authority.py"), str(self.port), str(self.dns_port)]
        environment = {"ACME_SRV_CONFIGFILE": str(settings), "PATH": os.defpath, "HOME": str(self.home)}
        with (self.home / "log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=self.home)
        try:
            self._answers(process)
            yield
        finally:
            process.terminate()
            process.wait(20)

    def _answers(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            try:
                requests.get(self.directory, timeout=5).raise_for_status()
            except requests.RequestException:
                time.sleep(0.1)
            else:
                return
        raise AssertionError((self.home / "log").read_text()[-2000:])


def made() -> None:
    """Have acme2certifier's environment, from its lock."""
    subprocess.run([sys.executable, "-I", str(ROOT / "infra" / "local" / "tools.py"), "acme2certifier"], check=True)
