"""
AWS KMS as the keeper of tenants' keys, behind the same port as Vault: a symmetric key a tenant, found by its alias.

Tenant and purpose are the encryption context: KMS authenticates it, refuses another, and writes it into CloudTrail. KMS
rotates a key's material by itself and opens what is older with the same key, so that nothing has versions to be moved on.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from platforma.kernel.errors import Broken, Unavailable
from platforma.kernel.ids import is_id
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.errors import DoesNotOpen, NoSuchKey
from platforma.keys.model import DataKey, key_context

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

ROTATED_EVERY_DAYS = 90  # the least that KMS takes
PENDING_DAYS = 7
"""The least that KMS waits before it destroys a key; nothing opens from the first moment on."""
_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"max_attempts": 3, "mode": "standard"})
_REFUSED = ("InvalidCiphertextException", "IncorrectKeyException", "ValidationException")
_NO_KEY_OF_OURS = "The ciphertext refers to a customer master key that does not exist"
_GONE = ("NotFoundException", "KMSInvalidStateException", "DisabledException")


class KMS:
    """`DataKeys` in KMS. *prefix* begins the keys' aliases, so that two deployments in an account stay apart."""

    def __init__(self, prefix: str = "platforma", client: "KMSClient | None" = None) -> None:
        self._prefix = prefix
        self._kms: KMSClient = client or boto3.client("kms", config=_CONFIG)

    def generate(self, tenant_id: str, purpose: str) -> DataKey:
        """
        A fresh data key under the tenant's key.

        Raises:
            NoSuchKey: the tenant has no key.
            Unavailable: KMS is gone, or does not let us.
        """
        alias, context = self._alias(tenant_id, purpose), _context(tenant_id, purpose)
        with _answering(tenant_id):
            made = self._kms.generate_data_key(KeyId=alias, KeySpec="AES_256", EncryptionContext=context)
        return DataKey(made["Plaintext"], made["CiphertextBlob"])

    def unwrap(self, tenant_id: str, purpose: str, wrapped: bytes) -> bytes:
        """
        The key behind *wrapped*. Nothing about *wrapped* is verified yet.

        Raises:
            DoesNotOpen: it is damaged or was made for another tenant or purpose.
            NoSuchKey: the tenant has no key.
            Unavailable: KMS is gone, or does not let us.
        """
        alias, context = self._alias(tenant_id, purpose), _context(tenant_id, purpose)
        with _answering(tenant_id):
            key_id = self._kms.describe_key(KeyId=alias)["KeyMetadata"]
            if key_id["KeyState"] != "Enabled":
                raise NoSuchKey("A tenant has no key.", tenant_id=tenant_id)
            if not wrapped:
                raise DoesNotOpen("A wrapped key is empty.")
            return self._kms.decrypt(KeyId=key_id["KeyId"], CiphertextBlob=wrapped, EncryptionContext=context)["Plaintext"]

    def unwrap_all(self, tenant_id: str, purpose: str, wrapped: Sequence[bytes]) -> list[bytes]:
        """As `unwrap`, one call each: KMS has none for many."""
        return [self.unwrap(tenant_id, purpose, one) for one in wrapped]

    def create_tenant_key(self, tenant_id: str) -> None:
        """
        Make the tenant's key, rotated by KMS, unless it exists. Of two that do it at once one key gets the alias.

        Raises:
            Unavailable: KMS is gone, or does not let us.
        """
        alias = self._alias(tenant_id, None)
        with _answering(tenant_id):
            if self._exists(alias):
                return
            key_id = self._kms.create_key(Description=f"{self._prefix}: {tenant_id}")["KeyMetadata"]["KeyId"]
            self._kms.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=ROTATED_EVERY_DAYS)
            try:
                self._kms.create_alias(AliasName=alias, TargetKeyId=key_id)
            except self._kms.exceptions.AlreadyExistsException:
                self._kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=PENDING_DAYS)

    def destroy_tenant_key(self, tenant_id: str) -> None:
        """
        Destroy the tenant's key; none left is success too. Nothing opens from now on, the material goes in seven days.

        Raises:
            Unavailable: KMS is gone, or does not let us; the key may be there still.
        """
        if tenant_id == PLATFORM:
            raise Broken("The platform's key is never destroyed.")
        alias = self._alias(tenant_id, None)
        try:
            with _answering(tenant_id):
                key = self._kms.describe_key(KeyId=alias)["KeyMetadata"]
                if key["KeyState"] != "PendingDeletion":
                    self._kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=PENDING_DAYS)
                self._kms.delete_alias(AliasName=alias)
        except NoSuchKey:
            return

    def _exists(self, alias: str) -> bool:
        try:
            self._kms.describe_key(KeyId=alias)
        except self._kms.exceptions.NotFoundException:
            return False
        return True

    def _alias(self, tenant_id: str, purpose: str | None) -> str:
        """What signs tokens is under a key of its own, as with Vault."""
        if tenant_id == PLATFORM:
            return f"alias/{self._prefix}-{'signing' if purpose == 'signing' else 'platform'}"
        if not is_id(tenant_id, "ten"):
            raise Broken("Only tenants have keys.", tenant_id=tenant_id)
        return f"alias/{self._prefix}-{tenant_id}"


def _context(tenant_id: str, purpose: str) -> dict[str, str]:
    key_context(tenant_id, purpose)  # holds the names to their form
    return {"tenant": tenant_id, "purpose": purpose}


@contextmanager
def _answering(tenant_id: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        told = error.response.get("Error", {})
        code = told.get("Code", "")
        # A damaged one may name a key that is none: told as a permission that lacks, and by moto without a word.
        said = told.get("Message") or _NO_KEY_OF_OURS
        unknown = code == "AccessDeniedException" and said.startswith(_NO_KEY_OF_OURS)
        if code in _REFUSED or unknown:
            failure: Exception = DoesNotOpen("KMS does not open a wrapped key.", tenant_id=tenant_id)
        elif code in _GONE:
            failure = NoSuchKey("A tenant has no key.", tenant_id=tenant_id)
        else:
            failure = Unavailable(cause=code)
    except BotoCoreError as error:
        failure = Unavailable(cause=type(error).__name__)
    else:
        return
    raise failure
