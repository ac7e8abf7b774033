"""Encryption for callers, and the versions of their tenant's key."""

from datetime import timedelta

from platforma import bootstrap
from platforma.edge.answer import Answer, listed
from platforma.edge.api import API
from platforma.edge.call import Call
from platforma.edge.encrypting import bytes_of, key_shown, text_of
from platforma.edge.schemas.encryption import RewrapView, TenantKeyView

api = API("keys_encryption", bootstrap.edge)


@api.serves("crypto.data.encrypt")
def encrypt(call: Call) -> Answer:
    sealed = bootstrap.encryption.encrypt_data(call.tenant_id, bytes_of(call.body.plaintext), call.body.context)
    return Answer(200, {"ciphertext": text_of(sealed)})


@api.serves("crypto.data.decrypt")
def decrypt(call: Call) -> Answer:
    opened = bootstrap.encryption.decrypt_data(call.tenant_id, bytes_of(call.body.ciphertext), call.body.context)
    return Answer(200, {"plaintext": text_of(opened)})


@api.serves("crypto.keys.list")
def list_keys(call: Call) -> Answer:
    key = bootstrap.encryption.read_tenant_key(call.tenant_id)
    return listed([TenantKeyView.of(key_shown(key, call.now))], None)


@api.serves("crypto.keys.rotate")
def rotate_key(call: Call) -> Answer:
    key = bootstrap.encryption.rotate_tenant_key(call.tenant_id, attempt=call.attempt)
    return Answer(200, TenantKeyView.of(key_shown(key, call.now)))


@api.serves("crypto.keys.schedule")
def schedule_rotation(call: Call) -> Answer:
    period = timedelta(seconds=call.body.auto_rotate_period)
    key = bootstrap.encryption.schedule_rotation(call.tenant_id, period, attempt=call.attempt)
    return Answer(200, TenantKeyView.of(key_shown(key, call.now)))


@api.serves("crypto.rewraps.start")
def start_rewrap(call: Call) -> Answer:
    at_once = call.parameters.trim == "at_once"
    job = bootstrap.encryption.start_rewrap(call.tenant_id, trim_at_once=at_once, attempt=call.attempt)
    return Answer(202, RewrapView.of(bootstrap.encryption.told(job, None)))


@api.serves("crypto.rewraps.get")
def read_rewrap(call: Call) -> Answer:
    return Answer(200, RewrapView.of(bootstrap.encryption.told(*bootstrap.encryption.read_rewrap(call.tenant_id))))


handler = api.handler
