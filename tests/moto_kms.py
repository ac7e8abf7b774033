"""
moto's KMS with what it leaves out of the real one: a key that is disabled or about to be deleted does nothing, a key keeps
its rotation period, and what is encrypted anew comes from the key that was named.
"""

import json

import boto3
from moto.core.exceptions import JsonRESTError
from moto.kms.models import KmsBackend
from moto.kms.responses import KmsResponse

PREFIX = "platforma-state"
_STATES = {"Disabled": "DisabledException", "PendingDeletion": "KMSInvalidStateException"}


def complete(monkeypatch) -> None:
    """Have moto do so from here on."""
    encrypt, decrypt = KmsBackend.encrypt, KmsBackend.decrypt
    enable, status, re_encrypt = (
        getattr(KmsResponse, name) for name in ("enable_key_rotation", "get_key_rotation_status", "re_encrypt")
    )

    def usable(backend, key_id):
        key = backend.keys[backend.any_id_to_key_id(key_id)]
        if key.key_state in _STATES:
            raise JsonRESTError(_STATES[key.key_state], "")
        return key

    def encrypting(backend, key_id, plaintext, encryption_context):
        usable(backend, key_id)
        return encrypt(backend, key_id, plaintext, encryption_context)

    def decrypting(backend, ciphertext_blob, encryption_context, key_id=None):
        if key_id is not None:
            usable(backend, key_id)
        opened = decrypt(backend, ciphertext_blob, encryption_context, key_id)
        usable(backend, opened[1])
        return opened

    def enabling(response):
        answer = enable(response)
        key_id = response.kms_backend.get_key_id(response._get_param("KeyId"))
        response.kms_backend.keys[key_id].rotation_period = response._get_param("RotationPeriodInDays") or 365
        return answer

    def telling(response):
        key = response.kms_backend.keys[response.kms_backend.get_key_id(response._get_param("KeyId"))]
        return json.dumps({**json.loads(status(response)), "RotationPeriodInDays": getattr(key, "rotation_period", 365)})

    def anew(response):
        source, blob = response._get_param("SourceKeyId"), response._get_param("CiphertextBlob")
        response._validate_key_id(source)
        response.kms_backend.decrypt(blob, response._get_param("SourceEncryptionContext", {}), source)
        return re_encrypt(response)

    monkeypatch.setattr(KmsBackend, "encrypt", encrypting)
    monkeypatch.setattr(KmsBackend, "decrypt", decrypting)
    monkeypatch.setattr(KmsResponse, "enable_key_rotation", enabling)
    monkeypatch.setattr(KmsResponse, "get_key_rotation_status", telling)
    monkeypatch.setattr(KmsResponse, "re_encrypt", anew)


def make_platforms_keys(region: str = "eu-central-1") -> None:
    """The two keys that infra/state.yaml makes where KMS is chosen."""
    client = boto3.client("kms", region_name=region)
    for name in ("platform", "signing"):
        alias = f"alias/{PREFIX}/{name}"
        key_id = client.create_key(Description=f"{alias}/1")["KeyMetadata"]["KeyId"]
        client.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=90)
        for each in (alias, f"{alias}/1"):
            client.create_alias(AliasName=each, TargetKeyId=key_id)
