"""Tenants, users and groups in memory, for fast tests: the same promises, under one lock."""

from platforma.adapters.memory.identity.attempts import MemoryAttemptCounts
from platforma.adapters.memory.identity.directory import MemoryDirectory
from platforma.adapters.memory.identity.groups import MemoryGroups
from platforma.adapters.memory.identity.links import MemoryLinkRequests, MemoryLinks, MemoryMailer
from platforma.adapters.memory.identity.store import MemoryIdentity, MemoryVersions
from platforma.adapters.memory.identity.tenants import MemoryTenants

__all__ = [
    "MemoryAttemptCounts",
    "MemoryDirectory",
    "MemoryGroups",
    "MemoryIdentity",
    "MemoryLinkRequests",
    "MemoryLinks",
    "MemoryMailer",
    "MemoryTenants",
    "MemoryVersions",
]
