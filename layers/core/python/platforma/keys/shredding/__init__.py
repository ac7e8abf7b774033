"""The end of a tenant's key, and with it of all that was sealed under it; a signed statement says so."""

from platforma.keys.shredding.model import LogPosition, Shredding
from platforma.keys.shredding.shred import read_shredding, shred_tenant, statement_of

__all__ = ["LogPosition", "Shredding", "read_shredding", "shred_tenant", "statement_of"]
