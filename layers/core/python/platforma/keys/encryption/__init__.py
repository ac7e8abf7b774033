"""Encryption as a service: what callers seal and keep themselves, the versions of their key, and moving old records on."""

from platforma.keys.encryption.data import Keyring, decrypt_data, encrypt_data
from platforma.keys.encryption.progress import Job, Pass, told
from platforma.keys.encryption.rewrap import Rewrapper, read_rewrap, start_rewrap
from platforma.keys.encryption.tenant_key import read_tenant_key, rotate_tenant_key, schedule_rotation

__all__ = [
    "Job",
    "Keyring",
    "Pass",
    "Rewrapper",
    "decrypt_data",
    "encrypt_data",
    "read_rewrap",
    "read_tenant_key",
    "rotate_tenant_key",
    "schedule_rotation",
    "start_rewrap",
    "told",
]
