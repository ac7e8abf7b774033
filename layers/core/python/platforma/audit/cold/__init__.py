"""
Events that left the hot index: a copy of the log in Parquet, by tenant and day, asked by Athena.

`compact` makes it hourly from the log's own entries, `Cold` reads it, `forget` takes a person or a tenant out of it. It
proves nothing: what an event is held to is its entry in the locked log.
"""

from platforma.audit.cold.compact import Compactor, compact
from platforma.audit.cold.forget import forget_ended, forget_persons
from platforma.audit.cold.read import Cold

__all__ = ["Cold", "Compactor", "compact", "forget_ended", "forget_persons"]
