"""Exports of a tenant's events: made in the background, part by part, signed, and verified by whoever has them, offline."""

from platforma.audit.exports.ask import ask_for_export, list_exports, read_export
from platforma.audit.exports.forget import forget_exported, forget_exports_of_ended
from platforma.audit.exports.model import FORMATS, Export, Format
from platforma.audit.exports.work import Exporter, run_exports

__all__ = [
    "FORMATS",
    "Export",
    "Exporter",
    "Format",
    "ask_for_export",
    "forget_exported",
    "forget_exports_of_ended",
    "list_exports",
    "read_export",
    "run_exports",
]
