"""
What we ask of Vault: tenants' keys (transit), the platform's and providers' secrets (kv), client certificates (pki), and the
signature under checkpoints.

It is long because it is the one place that knows Vault's paths. Nothing here needs OpenBao rather than Vault.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from cryptography import x509

from platforma.adapters.client_certificate import ClientCertificate
from platforma.adapters.vault_connection import VaultConnection
from platforma.certificates.client_certificates import ClientPair
from platforma.kernel.clock import Clock, system_clock
from platforma.kernel.errors import Broken, Unavailable
from platforma.kernel.ids import is_id
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.errors import DoesNotOpen, NoSuchKey
from platforma.keys.model import KEY_SIZE, DataKey, TenantKey, key_context

ROTATED_EVERY = "720h"
"""How often Vault gives a tenant's key a new version unless told otherwise: 30 days."""
_SIGNING = "signing"
_WRAPPED = re.compile(rb"\Avault:v([1-9][0-9]{0,8}):[0-9A-Za-z+/]{40,400}={0,2}\Z")
_SIGNATURE = re.compile(r"\Avault:v[1-9][0-9]{0,8}:([0-9A-Za-z+/]{86}==)\Z")
_KEY_NAME = re.compile(r"\A[a-z][a-z0-9-]{0,63}\Z")


class Vault:
    """
    `DataKeys`, `TenantKeyVersions`, `SecretSource`, `ProviderSecrets` and Ed25519 signatures by one role of Vault's cert
    auth.

    *certificate* is asked for at every login, since it may have been renewed in the meantime.
    """

    def __init__(
        self, addr: str, role: str, certificate: Callable[[], ClientCertificate], clock: Clock = system_clock
    ) -> None:
        self._connection = VaultConnection(addr, role, certificate, clock)

    def generate(self, tenant_id: str, purpose: str) -> DataKey:
        """
        A fresh data key under the tenant's key.

        Raises:
            NoSuchKey: the tenant has no key.
            Unavailable: Vault is sealed, gone, or does not let us.
        """
        context = _base64(key_context(tenant_id, purpose))
        path = f"transit/datakey/plaintext/{_transit_key(tenant_id, purpose)}"
        answer = self._transit(path, tenant_id, {"context": context, "bits": 256})
        wrapped = str(answer.get("ciphertext")).encode()
        if not _WRAPPED.match(wrapped):
            raise Broken("Vault's wrapped key is not of its form.")
        return DataKey(_key(answer.get("plaintext")), wrapped)

    def unwrap(self, tenant_id: str, purpose: str, wrapped: bytes) -> bytes:
        """
        The key behind *wrapped*. Nothing about *wrapped* is verified yet.

        Raises:
            DoesNotOpen: it is damaged or was made for another tenant or purpose.
            NoSuchKey: the tenant has no key.
            Unavailable: Vault is sealed, gone, or does not let us.
        """
        context = _base64(key_context(tenant_id, purpose))
        question = {"ciphertext": wrapped.decode("ascii", "replace"), "context": context}
        answer = self._decrypt(tenant_id, purpose, [wrapped], question)
        return _key(answer.get("plaintext"))

    def unwrap_all(self, tenant_id: str, purpose: str, wrapped: Sequence[bytes]) -> list[bytes]:
        """As `unwrap`, for many in one call; a policy that narrows `context` has to refuse `batch_input`, and so this."""
        context = _base64(key_context(tenant_id, purpose))
        batch = [{"ciphertext": one.decode("ascii", "replace"), "context": context} for one in wrapped]
        results = self._decrypt(tenant_id, purpose, wrapped, {"batch_input": batch}).get("batch_results")
        if not isinstance(results, list) or len(results) != len(batch):
            raise Unavailable("Vault's answer does not fit the question.")
        return [_key(result.get("plaintext")) for result in results]

    def create_tenant_key(self, tenant_id: str) -> None:
        """
        Make the tenant's key (derived, rotated by Vault, not exportable) unless it exists.

        Raises:
            Unavailable: Vault is sealed, gone, or does not let us.
        """
        parameters = {"type": "aes256-gcm96", "derived": True, "auto_rotate_period": ROTATED_EVERY}
        self._transit(f"transit/keys/{_transit_key(tenant_id)}", tenant_id, parameters)

    def destroy_tenant_key(self, tenant_id: str) -> None:
        """
        Destroy every version of the tenant's key, and with it all that was sealed under it; none left is success too.

        Raises:
            Unavailable: Vault is sealed, gone, or does not let us; the key may be there still.
        """
        if tenant_id == PLATFORM:
            raise Broken("The platform's key is never destroyed.")
        path = f"transit/keys/{_transit_key(tenant_id)}"
        missing = NoSuchKey(tenant_id=tenant_id)
        try:
            self._connection.post(f"{path}/config", {"deletion_allowed": True}, missing=missing)
            self._connection.delete(path, missing=missing)
        except NoSuchKey:
            return

    def describe(self, tenant_id: str) -> TenantKey:
        """
        The tenant's key as it stands.

        Raises:
            NoSuchKey: the tenant has no key.
            Unavailable: Vault is sealed, gone, or does not let us.
        """
        path, missing = f"transit/keys/{_transit_key(tenant_id)}", NoSuchKey(tenant_id=tenant_id)
        known = self._connection.get(path, refused=missing, missing=missing)  # a 404 says nothing more
        every = int(known.get("auto_rotate_period") or 0)
        return TenantKey(
            tenant_id=tenant_id,
            versions={int(version): datetime.fromtimestamp(int(made), UTC) for version, made in known["keys"].items()},
            min_decryption_version=int(known["min_decryption_version"]),
            rotated_every=timedelta(seconds=every) if every else None,
        )

    def rotate(self, tenant_id: str) -> None:
        """
        Give the tenant's key a new version; asked twice, two.

        Raises:
            NoSuchKey: the tenant has no key.
            Unavailable: Vault is sealed, gone, or does not let us.
        """
        self._transit(f"transit/keys/{_transit_key(tenant_id)}/rotate", tenant_id, {})

    def rotate_every(self, tenant_id: str, period: timedelta) -> None:
        """
        Have Vault give the tenant's key a new version whenever the newest is this old; it looks once an hour.

        Raises:
            NoSuchKey: the tenant has no key.
            Unavailable: Vault is sealed, gone, or does not let us.
        """
        said = {"auto_rotate_period": f"{int(period.total_seconds())}s"}
        self._transit(f"transit/keys/{_transit_key(tenant_id)}/config", tenant_id, said)

    def version_of(self, wrapped: bytes) -> int:
        """The version that *wrapped* names in the clear; 0 if it is none of Vault's."""
        named = _WRAPPED.match(wrapped)
        return int(named[1]) if named else 0

    def rewrap_all(self, tenant_id: str, purpose: str, wrapped: Sequence[bytes]) -> list[bytes | None]:
        """
        The same data keys under the newest version, in one call and without any of them leaving Vault.

        Raises:
            NoSuchKey: the tenant has no key.
            Unavailable: Vault is sealed, gone, or does not let us.
        """
        context = _base64(key_context(tenant_id, purpose))
        batch = [{"ciphertext": one.decode("ascii", "replace"), "context": context} for one in wrapped]
        path = f"transit/rewrap/{_transit_key(tenant_id, purpose)}"
        try:
            answer = self._transit(path, tenant_id, {"batch_input": batch}, DoesNotOpen(tenant_id=tenant_id))
        except DoesNotOpen:  # one bad item fails the whole batch: alone it fails alone
            if len(batch) == 1:
                return [None]
            return [again for one in wrapped for again in self.rewrap_all(tenant_id, purpose, [one])]
        results = answer.get("batch_results")
        if not isinstance(results, list) or len(results) != len(batch):
            raise Unavailable("Vault's answer does not fit the question.")
        texts = [str(result.get("ciphertext") or "").encode() for result in results]
        return [text if _WRAPPED.match(text) else None for text in texts]

    def retire(self, tenant_id: str, below: int) -> None:
        """
        Refuse every version older than *below* from now on.

        Raises:
            NoSuchKey: the tenant has no key.
            Unavailable: Vault is sealed, gone, or does not let us.
        """
        least = {"min_decryption_version": below, "min_encryption_version": below}
        self._transit(f"transit/keys/{_transit_key(tenant_id)}/config", tenant_id, least)

    def trim(self, tenant_id: str, below: int) -> None:
        """
        Destroy the versions older than *below*.

        Raises:
            NoSuchKey: the tenant has no key.
            Unavailable: Vault is sealed, gone, or does not let us.
        """
        self._transit(f"transit/keys/{_transit_key(tenant_id)}/trim", tenant_id, {"min_available_version": below})

    def read_secret(self, name: Literal["peppers", "secrets", "acme"]) -> Mapping[str, str]:
        """
        The document at `kv/platforma/`*name*.

        Raises:
            Unavailable: Vault is sealed, gone, does not let us, or has no such document.
        """
        values = self._connection.get(f"kv/data/platforma/{name}").get("data")
        if not isinstance(values, dict):
            raise Unavailable("A secret is not set up.", secret=name)
        return {str(key): str(value) for key, value in values.items()}

    def keep_provider_secret(self, tenant_id: str, reference: str, secret: str) -> None:
        """
        Keep what a tenant's identity provider gave us, under a fresh *reference*.

        Raises:
            Unavailable: Vault is sealed, gone, or does not let us.
        """
        self._connection.post(_provider_path("data", tenant_id, reference), {"data": {"secret": secret}})

    def read_provider_secret(self, tenant_id: str, reference: str) -> str:
        """
        What was kept under *reference*.

        Raises:
            Unavailable: Vault is sealed, gone, does not let us, or has nothing there.
        """
        values = self._connection.get(_provider_path("data", tenant_id, reference)).get("data")
        if not isinstance(values, dict) or "secret" not in values:
            raise Unavailable("A provider's secret is not there.")
        return str(values["secret"])

    def forget_provider_secret(self, tenant_id: str, reference: str) -> None:
        """
        Destroy what was kept under *reference*, every version of it; none there is success too.

        Raises:
            Unavailable: Vault is sealed, gone, or does not let us.
        """
        self._connection.delete(_provider_path("metadata", tenant_id, reference))

    def forget_provider_secrets(self, tenant_id: str) -> None:
        """
        Destroy all that was kept for the tenant, every version of it; none there is success too.

        Raises:
            Unavailable: Vault is sealed, gone, or does not let us; some of it may be there still.
        """
        if not is_id(tenant_id, "ten"):
            raise Broken("A provider's secret is a tenant's.")
        folder, nothing = f"kv/metadata/platforma/providers/{tenant_id}", NoSuchKey()
        try:
            kept = self._connection.list(folder, refused=nothing).get("keys") or []
        except NoSuchKey:
            return
        for name in kept:
            self._connection.delete(f"{folder}/{name}")

    def issue_client(self, common_name: str, uri: str) -> ClientPair:
        """
        A client certificate of the functions' CA for this name, and its key.

        Raises:
            Unavailable: Vault is sealed, gone, or does not let us.
        """
        asked = {
            "common_name": common_name,
            "exclude_cn_from_sans": True,
            "uri_sans": uri,
            "private_key_format": "pkcs8",
        }
        made = self._connection.post("pki/issue/function", asked)
        chain = [str(made.get("certificate")), *(str(each) for each in made.get("ca_chain") or ())]
        return ClientPair("\n".join(chain) + "\n", str(made.get("private_key")) + "\n")

    def trusted(self) -> str:
        """
        The roots that everything of ours is verified with (PEM), oldest first: two while the CA is replaced.

        Raises:
            Unavailable: Vault is sealed, gone, or does not let us.
        """
        listed = self._connection.list("pki-root/issuers").get("keys") or []
        roots = [self._connection.get(f"pki-root/issuer/{name}/json") for name in listed]
        texts = [f"{str(root.get('certificate')).strip()}\n" for root in roots]
        if not texts:
            raise Unavailable("Vault names no root.")
        return "".join(sorted(texts, key=_began))

    def sign_ed25519(self, key: str, message: bytes) -> bytes:
        """
        The 64 bytes of the signature by the newest version of the transit key of this name (RFC 8032, not prehashed).

        Raises:
            Unavailable: Vault is sealed, gone, or does not let us.
        """
        answer = self._connection.post(f"transit/sign/{_name(key)}", {"input": _base64(message)})
        signature = _SIGNATURE.match(str(answer.get("signature")))
        if signature is None:
            raise Broken("Vault's signature is none of Ed25519.", key=key)
        return b64decode(signature[1])

    def ed25519_public_keys(self, key: str) -> dict[int, bytes]:
        """
        The 32 bytes of each version's public key, by version.

        Raises:
            Unavailable: Vault is sealed, gone, or does not let us.
        """
        answer = self._connection.get(f"transit/keys/{_name(key)}")
        if answer.get("type") != "ed25519":
            raise Broken("A key for checkpoints is of Ed25519.", key=key)
        return {int(version): b64decode(entry["public_key"]) for version, entry in answer["keys"].items()}

    def _decrypt(
        self, tenant_id: str, purpose: str, wrapped: Sequence[bytes], question: Mapping[str, Any]
    ) -> dict[str, Any]:
        if not all(_WRAPPED.match(one) for one in wrapped):
            raise DoesNotOpen("A wrapped key is not of Vault's form.", tenant_id=tenant_id)
        refused = DoesNotOpen("Vault does not open a wrapped key.", tenant_id=tenant_id)
        return self._transit(f"transit/decrypt/{_transit_key(tenant_id, purpose)}", tenant_id, question, refused)

    def _transit(
        self, path: str, tenant_id: str, data: Mapping[str, Any], refused: Exception | None = None
    ) -> dict[str, Any]:
        missing = NoSuchKey("A tenant has no key.", tenant_id=tenant_id)
        return self._connection.post(path, data, refused=refused, missing=missing)


def _transit_key(tenant_id: str, purpose: str | None = None) -> str:
    """Which of Vault's keys. What signs tokens is under one of its own, open to the functions that sign and to no other."""
    if tenant_id == PLATFORM:
        return "signing" if purpose == _SIGNING else "platform"
    if not is_id(tenant_id, "ten"):
        raise Broken("Only tenants have keys.", tenant_id=tenant_id)
    return f"tenant-{tenant_id}"


def _provider_path(kind: str, tenant_id: str, reference: str) -> str:
    if not is_id(tenant_id, "ten") or not is_id(reference, "sso"):
        raise Broken("A provider's secret is a tenant's, under a reference of ours.")
    return f"kv/{kind}/platforma/providers/{tenant_id}/{reference}"


def _began(certificate: str) -> tuple[datetime, str]:
    """When a PEM certificate began to be good, and the text itself: an order that stays."""
    return x509.load_pem_x509_certificate(certificate.encode()).not_valid_before_utc, certificate


def _name(key: str) -> str:
    if not _KEY_NAME.match(key):
        raise Broken("Not a name of a key.", key=key)
    return key


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode()


def _key(text: object) -> bytes:
    key = b64decode(str(text or ""))
    if len(key) != KEY_SIZE:
        raise DoesNotOpen("Vault gave no key of 32 bytes.")
    return key
