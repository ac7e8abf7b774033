"""The tenant that owns the platform itself; platform clients and the log of strangers' requests belong to it."""

PLATFORM = "ten_01j0000000e008000000000000"
