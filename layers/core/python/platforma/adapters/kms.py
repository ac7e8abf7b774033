"""
AWS KMS as the keeper of tenants' keys, behind the same ports as Vault.

A version of a tenant's key is a KMS key of its own, since KMS tells apart, ends and destroys whole keys only:

    alias/{prefix}/{tenant}         the version that new data keys are wrapped under
    alias/{prefix}/{tenant}/{n}     version n; its key's description is this name

    wrapped data key: kms:v{n}: | KMS ciphertext

Tenant and purpose are the encryption context: KMS authenticates it, refuses another, and writes it into CloudTrail. What
Vault does by other means: a version is retired by disabling its key and trimmed by scheduling its deletion, which KMS keeps
open for seven days while nothing opens; a data key is wrapped anew by `ReEncrypt`, one call each. `rotated_every` is KMS's
own rotation of the material inside the newest version, 90 days at least: it makes no version, and older material opens as
long as its key does.
"""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from platforma.kernel.errors import Broken, Conflict, FieldError, Unavailable, Unprocessable
from platforma.kernel.ids import is_id
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.errors import DoesNotOpen, NoSuchKey
from platforma.keys.model import DataKey, TenantKey, key_context

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

PERIOD = timedelta(days=90)
"""How often KMS renews the material of a tenant's newest version unless told otherwise: the least that it takes."""
LONGEST_PERIOD = timedelta(days=2560)
PENDING_DAYS = 7
"""The least that KMS waits before it destroys a key; nothing opens from the first moment on."""
TAG = "platforma-tenants"
"""The tag that roles go by to make and change keys: its value is the prefix."""
_CONFIG = Config(connect_timeout=2, read_timeout=2, retries={"max_attempts": 2, "mode": "standard"})
_WRAPPED = re.compile(rb"\Akms:v([1-9][0-9]{0,8}):(.{1,6144})\Z", re.DOTALL)
_REFUSED = ("InvalidCiphertextException", "IncorrectKeyException", "ValidationException")
_NO_KEY_OF_OURS = "The ciphertext refers to a customer master key that does not exist"
_GONE = ("NotFoundException", "KMSInvalidStateException", "DisabledException")
_LOOKS = 20  # a new alias is seen everywhere within seconds
_PAUSE = 0.2


class _Version(NamedTuple):
    number: int
    key_id: str
    state: str
    made_at: datetime


class KMS:
    """
    `DataKeys`, `TenantKeyVersions` and `MortalKeys` in KMS.

    *prefix* begins the keys' aliases, so that two deployments in an account stay apart.
    """

    def __init__(self, prefix: str, client: "KMSClient | None" = None) -> None:
        self._prefix = prefix
        self._kms: KMSClient = client or boto3.client("kms", config=_CONFIG)
        self._numbers: dict[str, int] = {}

    def generate(self, tenant_id: str, purpose: str) -> DataKey:
        """
        A fresh data key under the tenant's newest version.

        Raises:
            NoSuchKey: the tenant has no key.
            Unavailable: KMS is gone, or does not let us.
        """
        name, context = self._name(tenant_id, purpose), _context(tenant_id, purpose)
        with _answering(tenant_id):
            made = self._kms.generate_data_key(KeyId=name, KeySpec="AES_256", EncryptionContext=context)
        return DataKey(made["Plaintext"], self._wrapped(name, made["KeyId"], made["CiphertextBlob"]))

    def unwrap(self, tenant_id: str, purpose: str, wrapped: bytes) -> bytes:
        """
        The key behind *wrapped*. Nothing about *wrapped* is verified yet.

        Raises:
            DoesNotOpen: it is damaged, was made for another tenant or purpose, or under a version that was retired.
            NoSuchKey: the tenant has no key.
            Unavailable: KMS is gone, or does not let us.
        """
        name, context = self._name(tenant_id, purpose), _context(tenant_id, purpose)
        if (parts := _WRAPPED.match(wrapped)) is not None:
            with suppress(NoSuchKey), _answering(tenant_id):
                opened = self._kms.decrypt(
                    KeyId=f"{name}/{int(parts[1])}", CiphertextBlob=parts[2], EncryptionContext=context
                )
                return opened["Plaintext"]
        self._newest(tenant_id, name)
        raise DoesNotOpen("A wrapped key is of no version that opens.", tenant_id=tenant_id)

    def unwrap_all(self, tenant_id: str, purpose: str, wrapped: Sequence[bytes]) -> list[bytes]:
        """As `unwrap`, one call each: KMS has none for many."""
        return [self.unwrap(tenant_id, purpose, one) for one in wrapped]

    def create_tenant_key(self, tenant_id: str) -> None:
        """
        Make the tenant's key unless it has one, and wait until KMS knows it by its name.

        Raises:
            Unavailable: KMS is gone, or does not let us; asked again it goes on.
        """
        name = self._name(tenant_id)
        with _answering(tenant_id):
            if self._find(name) is not None:
                return
            key_id = self._make(name, 1, PERIOD)
            with suppress(self._kms.exceptions.AlreadyExistsException):
                self._kms.create_alias(AliasName=name, TargetKeyId=key_id)
            for _ in range(_LOOKS):
                if self._find(name) is not None:
                    return
                time.sleep(_PAUSE)
        raise Unavailable(cause="KMS does not know a new key yet")

    def destroy_tenant_key(self, tenant_id: str) -> None:
        """
        Schedule the deletion of every version of the tenant's key; none left is success too.

        Nothing opens from now on. For `PENDING_DAYS` an administrator of the account can take it back.

        Raises:
            Unavailable: KMS is gone, or does not let us; some of it may be there still.
        """
        if tenant_id == PLATFORM:
            raise Broken("The platform's key is never destroyed.")
        name = self._name(tenant_id)
        with _answering(tenant_id):
            newest = self._find(name)
            if newest is None:
                return
            for version in [*self._from(name, newest.number, 1), *self._from(name, newest.number - 1, -1)]:
                self._schedule_deletion(version)

    def describe(self, tenant_id: str) -> TenantKey:
        """
        The tenant's key as it stands.

        Raises:
            NoSuchKey: the tenant has no key.
            Unavailable: KMS is gone, or does not let us.
        """
        name = self._name(tenant_id)
        newest = self._newest(tenant_id, name)
        with _answering(tenant_id):
            standing = [version for version in self._from(name, newest.number, -1) if version.state != "PendingDeletion"]
            rotation = self._kms.get_key_rotation_status(KeyId=newest.key_id)
        period = timedelta(days=rotation.get("RotationPeriodInDays", 365)) if rotation["KeyRotationEnabled"] else None
        return TenantKey(
            tenant_id=tenant_id,
            versions={version.number: version.made_at for version in standing},
            min_decryption_version=min(version.number for version in standing if version.state == "Enabled"),
            rotated_every=period,
            renewed_next=rotation.get("NextRotationDate"),
        )

    def rotate(self, tenant_id: str) -> None:
        """
        Give the tenant's key a new version; asked by two at once, one.

        Raises:
            Conflict: it is the platform's, which the template made.
            NoSuchKey: the tenant has no key.
            Unavailable: KMS is gone, or does not let us; whether the version was made is not known.
        """
        if tenant_id == PLATFORM:
            raise Conflict("The platform's own key is renewed by KMS alone.")
        name = self._name(tenant_id)
        newest = self._newest(tenant_id, name)
        with _answering(tenant_id):
            rotation = self._kms.get_key_rotation_status(KeyId=newest.key_id)
            key_id = self._make(name, newest.number + 1, timedelta(days=rotation.get("RotationPeriodInDays", PERIOD.days)))
            self._kms.update_alias(AliasName=name, TargetKeyId=key_id)

    def rotate_every(self, tenant_id: str, period: timedelta) -> None:
        """
        Have KMS renew the material of the newest version, and of those to come, this often.

        Raises:
            Unprocessable: KMS does so every 90 to 2560 days.
            NoSuchKey: the tenant has no key.
            Unavailable: KMS is gone, or does not let us.
        """
        if not PERIOD <= period <= LONGEST_PERIOD:
            raise Unprocessable(
                "KMS renews a key every 90 to 2560 days.", errors=[FieldError("/auto_rotate_period", "90 to 2560 days.")]
            )
        newest = self._newest(tenant_id, self._name(tenant_id))
        with _answering(tenant_id):
            self._kms.enable_key_rotation(KeyId=newest.key_id, RotationPeriodInDays=period.days)

    def version_of(self, wrapped: bytes) -> int:
        """The version that *wrapped* names in the clear; 0 if it is none of KMS's."""
        named = _WRAPPED.match(wrapped)
        return int(named[1]) if named else 0

    def rewrap_all(self, tenant_id: str, purpose: str, wrapped: Sequence[bytes]) -> list[bytes | None]:
        """
        The same data keys under the newest version, without any of them leaving KMS; one call each.

        Raises:
            NoSuchKey: the tenant has no key.
            Unavailable: KMS is gone, or does not let us.
        """
        name, context = self._name(tenant_id, purpose), _context(tenant_id, purpose)
        newest = self._newest(tenant_id, name)
        again: list[bytes | None] = []
        for one in wrapped:
            moved = None
            if (parts := _WRAPPED.match(one)) is not None:
                with suppress(NoSuchKey, DoesNotOpen), _answering(tenant_id):
                    answer = self._kms.re_encrypt(
                        CiphertextBlob=parts[2],
                        SourceKeyId=f"{name}/{int(parts[1])}",
                        SourceEncryptionContext=context,
                        DestinationKeyId=f"{name}/{newest.number}",
                        DestinationEncryptionContext=context,
                    )
                    moved = b"kms:v%d:" % newest.number + answer["CiphertextBlob"]
            again.append(moved)
        return again

    def retire(self, tenant_id: str, below: int) -> None:
        """
        Refuse every version older than *below* from now on.

        Raises:
            NoSuchKey: the tenant has no key.
            Unavailable: KMS is gone, or does not let us.
        """
        name = self._name(tenant_id)
        self._newest(tenant_id, name)
        with _answering(tenant_id):
            for version in self._from(name, below - 1, -1):
                if version.state == "Enabled":
                    self._kms.disable_key(KeyId=version.key_id)

    def trim(self, tenant_id: str, below: int) -> None:
        """
        Schedule the deletion of the versions older than *below*.

        Raises:
            NoSuchKey: the tenant has no key.
            Unavailable: KMS is gone, or does not let us.
        """
        name = self._name(tenant_id)
        self._newest(tenant_id, name)
        with _answering(tenant_id):
            for version in self._from(name, below - 1, -1):
                self._schedule_deletion(version)

    def _make(self, name: str, number: int, period: timedelta) -> str:
        """The id of version *number*'s key, which is made unless it is there: of two that make it, one's gets the name."""
        alias = f"{name}/{number}"
        if (there := self._find(alias)) is not None:
            return there.key_id
        tags: Any = [{"TagKey": TAG, "TagValue": self._prefix}]
        key_id = self._kms.create_key(Description=alias, Tags=tags)["KeyMetadata"]["KeyId"]
        self._kms.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=period.days)
        try:
            self._kms.create_alias(AliasName=alias, TargetKeyId=key_id)
        except self._kms.exceptions.AlreadyExistsException:
            self._kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=PENDING_DAYS)
            there = self._find(alias)
            assert there is not None
            return there.key_id
        return key_id

    def _schedule_deletion(self, version: _Version) -> None:
        """KMS takes the aliases with the key; until then they show that it is there."""
        if version.state != "PendingDeletion":
            self._kms.schedule_key_deletion(KeyId=version.key_id, PendingWindowInDays=PENDING_DAYS)

    def _wrapped(self, name: str, key_id: str, ciphertext: bytes) -> bytes:
        """With the version before it that the key is, asked for once a key and held to the name that opens it."""
        if key_id not in self._numbers:
            with _answering(name):
                known = self._find(key_id)
                named = self._find(f"{name}/{known.number}") if known else None
            if known is None or named is None or named.key_id != known.key_id:
                raise Broken("A key of KMS's is not the version that it says.", key_id=key_id)
            self._numbers[key_id] = known.number
        return b"kms:v%d:" % self._numbers[key_id] + ciphertext

    def _newest(self, tenant_id: str, name: str) -> _Version:
        with _answering(tenant_id):
            newest = self._find(name)
        if newest is None or newest.state != "Enabled":
            raise NoSuchKey("A tenant has no key.", tenant_id=tenant_id)
        return newest

    def _from(self, name: str, number: int, step: int) -> Iterator[_Version]:
        """The versions from *number* on, upwards or downwards, up to the first that is not there."""
        while number > 0 and (version := self._find(f"{name}/{number}")) is not None:
            yield version
            number += step

    def _find(self, key: str) -> _Version | None:
        """The key of this alias or id; None if there is none."""
        try:
            known = self._kms.describe_key(KeyId=key)["KeyMetadata"]
        except self._kms.exceptions.NotFoundException:
            return None
        number = str(known.get("Description", "")).rpartition("/")[2]
        if not re.fullmatch(r"[1-9][0-9]{0,8}", number):
            raise Broken("A key of KMS's does not say its version.", key_id=known["KeyId"])
        return _Version(int(number), known["KeyId"], str(known.get("KeyState")), known["CreationDate"].astimezone(UTC))

    def _name(self, tenant_id: str, purpose: str | None = None) -> str:
        """The alias of the newest version. What signs tokens is under a key of its own, as with Vault."""
        if tenant_id == PLATFORM:
            return f"alias/{self._prefix}/{'signing' if purpose == 'signing' else 'platform'}"
        if not is_id(tenant_id, "ten"):
            raise Broken("Only tenants have keys.", tenant_id=tenant_id)
        return f"alias/{self._prefix}/{tenant_id}"


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
